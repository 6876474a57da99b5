package vault_test

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"groat/vault"
)

// promised skips the test, visibly, unless GROAT_TEST_BACKENDS (a comma
// list) names the backend; a backend that was promised and is missing fails.
func promised(t testing.TB, backend string, programs ...string) {
	t.Helper()
	if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_BACKENDS"), ","), backend) {
		t.Skipf("the real %s is not tested: GROAT_TEST_BACKENDS does not name it", backend)
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("GROAT_TEST_BACKENDS promises %s, but %v", backend, err)
		}
	}
}

func mustOpen(t testing.TB, cfg vault.Config) vault.Vault {
	t.Helper()
	v, err := vault.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func putItem(t *testing.T, v vault.Vault, kind vault.Kind, name, data string) {
	t.Helper()
	if err := v.Put(t.Context(), kind, name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func wantItem(t *testing.T, v vault.Vault, kind vault.Kind, name, data string) {
	t.Helper()
	if got, err := v.Get(t.Context(), kind, name); err != nil || string(got) != data {
		t.Errorf("Get %s %q: %q, %v; want %q", kind, name, got, err, data)
	}
}

// everyOperation wants the error from all of them; seed is an item that exists.
func everyOperation(t *testing.T, v vault.Vault, want error, ops ...string) {
	t.Helper()
	for op, do := range map[string]func() error{
		"get":     func() error { _, err := v.Get(t.Context(), vault.KindKey, "p"); return err },
		"missing": func() error { _, err := v.Get(t.Context(), vault.KindKey, "missing"); return err },
		"put":     func() error { return v.Put(t.Context(), vault.KindKey, "p", []byte("new")) },
		"remove":  func() error { return v.Remove(t.Context(), vault.KindKey, "p") },
		"names":   func() error { _, err := v.Names(t.Context(), vault.KindKey); return err },
	} {
		if len(ops) > 0 && !slices.Contains(ops, op) {
			continue
		}
		err := do()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", op, err, want)
		}
		var e *vault.Error
		if err != nil && !errors.As(err, &e) {
			t.Errorf("%s: %v is no *vault.Error", op, err)
		}
	}
}

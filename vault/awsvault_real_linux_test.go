package vault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/keyring"

	"groat/vault"
	"groat/vault/vaulttest"
	"groat/vault/vaulttest/desktop"
)

// storedItem is an item as the keyring library writes it where it stores
// whole items.
func storedItem(t *testing.T, name string) string {
	t.Helper()
	item, err := json.Marshal(keyring.Item{Key: name, Label: "aws-vault", Data: fmt.Appendf(nil, `{"AccessKeyID":%q,"SecretAccessKey":%q}`, oldID, oldSecret)})
	if err != nil {
		t.Fatal(err)
	}
	return string(item)
}

func command(t *testing.T, environ []string, stdin, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env, c.Stdin = environ, strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func wantOld(t *testing.T, cfg vault.Config, want ...string) {
	t.Helper()
	a, err := vault.OpenAWSVault(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	names, err := a.Names(t.Context())
	if err != nil || !slices.Equal(names, want) {
		t.Fatalf("names %q, %v; want %q", names, err, want)
	}
	for _, name := range want {
		if k, err := a.Key(t.Context(), name); err != nil || k.ID != oldID || k.Secret != oldSecret {
			t.Errorf("%q: %v, %v", name, k, err)
		}
	}
	if _, err := a.Key(t.Context(), "missing"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if err := a.Remove(t.Context(), want[0]); err != nil {
		t.Error(err)
	}
	if names, err := a.Names(t.Context()); err != nil || !slices.Equal(names, want[1:]) {
		t.Errorf("after removing: %q, %v", names, err)
	}
}

func TestAWSVaultSecretService(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon", "secret-tool")
	d := desktop.New(t)
	d.GnomeKeyring("pw")
	for _, name := range []string{"default", "team/prod", "sts.GetSessionToken,ZGVmYXVsdA,YXJu,1700000000"} {
		command(t, d.Env, storedItem(t, name), "secret-tool", "store", "--collection=login", "--label=aws-vault", "profile", name)
	}
	cfg := secretServiceConfig(d, t)
	// Items of groat's in the same collection, an older one among them, are left alone.
	putItem(t, mustOpen(t, secretServiceConfig(d, t)), vault.KindKey, "ours", "x")
	command(t, d.Env, "{}", "secret-tool", "store", "--collection=login", "--label=key.older", "profile", "key.older")
	cfg.SecretServiceCollection = "login" // a collection of its own needs somebody at a screen to make it
	wantOld(t, cfg, "default", "team/prod")
}

func TestAWSVaultPass(t *testing.T) {
	promised(t, "pass", "pass", "gpg")
	environ := vaulttest.PassStore(t, "", "")
	for _, name := range []string{"default", "prod"} {
		command(t, environ, storedItem(t, name), "pass", "insert", "--multiline", name)
	}
	wantOld(t, passConfig(t, environ), "default", "prod")
}

package vault_test

import (
	"errors"
	"strings"
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
)

// Whatever a store of the system's cannot hold by itself, the vault on it can.
func TestContractStrictStore(t *testing.T) {
	var again func() vault.Vault
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		again = vault.OpenStrictStore(t.TempDir())
		return again()
	}, vaulttest.Options{Again: func(*testing.T) vault.Vault { return again() }})
}

// A backend that cannot serve says why, and what could serve here instead; it
// does not give way by itself.
func TestUnavailableNamesTheOthers(t *testing.T) {
	for _, backend := range vault.Backends() {
		if backend == "file" || backend == "keyctl" || backend == "wincred" || backend == "keychain" {
			continue // they are always there
		}
		cfg := vault.Config{Backend: backend, StateDir: t.TempDir(), Environ: []string{"HOME=" + t.TempDir(), "XDG_RUNTIME_DIR=" + t.TempDir()}}
		v, err := vault.Open(cfg)
		if err == nil {
			err = v.Put(t.Context(), vault.KindKey, "p", []byte("x"))
		}
		var e *vault.Error
		if !errors.Is(err, vault.ErrUnavailable) || !errors.As(err, &e) {
			t.Errorf("%s: %v", backend, err)
			continue
		}
		_, others, _ := strings.Cut(e.Hint(), "could serve here: ")
		if !strings.Contains(others, "file") || strings.Contains(others, backend) {
			t.Errorf("%s: the hint is %q", backend, e.Hint())
		}
	}
}

func TestContractFakeKeychain(t *testing.T) {
	var again func() vault.Vault
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		again = vault.OpenFakeKeychain(t.TempDir())
		return again()
	}, vaulttest.Options{Again: func(*testing.T) vault.Vault { return again() }})
}

//go:build cgo && !nokeychain

package vault_test

import (
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
)

// keychainPassword locks and unlocks the throw-away keychains of the tests.
const keychainPassword = "throw-away"

// throwAwayKeychain makes a keychain that no search list names, and deletes
// it after the test. Its name is what Config.Keychain takes: the path without
// its ending.
func throwAwayKeychain(t *testing.T) (name, path string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "groat-test")
	path = name + ".keychain"
	security(t, "create-keychain", "-p", keychainPassword, path)
	t.Cleanup(func() { _ = exec.Command("security", "delete-keychain", path).Run() })
	security(t, "set-keychain-settings", path) // no locking by itself meanwhile
	security(t, "unlock-keychain", "-p", keychainPassword, path)
	return name, path
}

func security(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("security", args...).CombinedOutput(); err != nil {
		t.Fatalf("security %s: %v: %s", args[0], err, out)
	}
}

func keychainConfig(t *testing.T, name string) vault.Config {
	return vault.Config{Backend: "keychain", Keychain: name, StateDir: t.TempDir()}
}

func TestContractKeychain(t *testing.T) {
	promised(t, "keychain", "security")
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		name, _ := throwAwayKeychain(t)
		cfg = keychainConfig(t, name)
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }, Workers: 3})
}

// A keychain that is locked, or not there, is never taken for an empty one.
// If this test waits for a dialog, macOS has asked for the password of
// groat-test.keychain; no call of ours may wait longer than its time-out.
func TestKeychainLockedOrGone(t *testing.T) {
	promised(t, "keychain", "security")
	name, path := throwAwayKeychain(t)
	v := mustOpen(t, keychainConfig(t, name))
	putItem(t, v, vault.KindKey, "p", "TheSecret")
	wantItem(t, v, vault.KindKey, "p", "TheSecret")

	security(t, "lock-keychain", path)
	if _, err := v.Get(t.Context(), vault.KindKey, "p"); err == nil || errors.Is(err, vault.ErrNotFound) {
		t.Errorf("locked: %v, want an error that is not \"not found\"", err)
	}
	security(t, "unlock-keychain", "-p", keychainPassword, path)
	wantItem(t, v, vault.KindKey, "p", "TheSecret")

	security(t, "delete-keychain", path)
	if _, err := v.Get(t.Context(), vault.KindKey, "p"); err == nil {
		t.Error("a keychain that is gone still answers")
	}
}

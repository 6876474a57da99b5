//go:build linux

package vault_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/vault"
	"groat/vault/vaulttest"
	"groat/vault/vaulttest/desktop"
)

func secretServiceConfig(d *desktop.Desktop, t testing.TB) vault.Config {
	return vault.Config{Backend: "secret-service", Environ: d.Env, StateDir: t.TempDir(), Warn: func(m string) { t.Log("warning:", m) }}
}

func TestContractSecretService(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		d := desktop.New(t)
		d.GnomeKeyring("pw")
		cfg = secretServiceConfig(d, t)
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }})
}

// lockedDesktop has a login collection with one item, locked from then on.
func lockedDesktop(t *testing.T) *desktop.Desktop {
	t.Helper()
	d := desktop.New(t)
	first := d.GnomeKeyring("pw")
	v := mustOpen(t, secretServiceConfig(d, t))
	putItem(t, v, vault.KindKey, "p", "secret")
	v.Close()
	_ = first.Process.Kill()
	_ = first.Wait()
	d.GnomeKeyring("") // reads the collection from the disk, and nobody unlocks it
	return d
}

// A locked keyring on a machine without a screen is locked, not empty.
func TestRealSecretServiceLocked(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	d := lockedDesktop(t)
	cfg := secretServiceConfig(d, t)
	cfg.Timeout = 2 * time.Second
	everyOperation(t, mustOpen(t, cfg), vault.ErrLocked)
	auto := cfg
	auto.Backend, auto.FileDir = "auto", filepath.Join(t.TempDir(), "v")
	if v := mustOpen(t, auto); v.Backend() != "file" {
		t.Errorf("auto chose %q on a machine without a screen, where it is locked", v.Backend())
	}
}

// A collection that was named and is not there is an error that says what to
// do, not an empty vault.
func TestRealSecretServiceNoCollection(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	d := desktop.New(t)
	d.GnomeKeyring("pw")
	cfg := secretServiceConfig(d, t)
	cfg.SecretServiceCollection, cfg.Timeout = "nowhere", 2*time.Second
	v := mustOpen(t, cfg)
	everyOperation(t, v, vault.ErrUnavailable)
	err := v.Put(t.Context(), vault.KindKey, "p", []byte("x"))
	var e *vault.Error
	if !errors.As(err, &e) || !strings.Contains(strings.ToLower(e.Hint()), "login") {
		t.Errorf("the hint does not name the collections that exist: %v", err)
	}
	// "default" is an alias, not a name.
	cfg.SecretServiceCollection = "default"
	v = mustOpen(t, cfg)
	if err := v.Put(t.Context(), vault.KindKey, "p", []byte("x")); err != nil && !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("put into the default collection: %v", err)
	}
}

// The daemon dies with a call in its hands, and again before the next one.
func TestRealSecretServiceKilled(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	d := desktop.New(t)
	daemon := d.GnomeKeyring("pw")
	cfg := secretServiceConfig(d, t)
	v := mustOpen(t, cfg)
	putItem(t, v, vault.KindKey, "p", "secret")
	if err := daemon.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := v.Get(context.Background(), vault.KindKey, "p")
		done <- err
	}()
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = daemon.Wait()
	if err := <-done; !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("killed mid-call: %v", err)
	}
	everyOperation(t, v, vault.ErrUnavailable)
	d.GnomeKeyring("pw")
	wantItem(t, v, vault.KindKey, "p", "secret") // the same connection, a new daemon
}

// The bus itself dies.
func TestRealBusKilled(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	d := desktop.New(t)
	d.GnomeKeyring("pw")
	v := mustOpen(t, secretServiceConfig(d, t))
	putItem(t, v, vault.KindKey, "p", "secret")
	_ = d.Bus.Process.Kill()
	_ = d.Bus.Wait()
	everyOperation(t, v, vault.ErrUnavailable)
}

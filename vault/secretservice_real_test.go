//go:build linux

package vault_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
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

// The Secret Services that have no collection "login": nobody has to name
// theirs, and auto chooses one unless it knows KWallet's own way in.
func TestRealSecretServiceOfOthers(t *testing.T) {
	for name, c := range map[string]struct {
		start func(*desktop.Desktop)
		auto  string
	}{
		"keepassxc": {func(d *desktop.Desktop) { d.KeePassXC(true) }, "secret-service"},
		"kwalletd5": {(*desktop.Desktop).KWalletSecrets, "kwallet"},
	} {
		t.Run(name, func(t *testing.T) {
			promised(t, "secret-service", "dbus-daemon", name)
			d := desktop.New(t)
			c.start(d)
			cfg := secretServiceConfig(d, t)
			auto := cfg
			auto.Backend, auto.FileDir = "auto", filepath.Join(t.TempDir(), "v")
			if chosen := mustOpen(t, auto).Backend(); chosen != c.auto {
				t.Errorf("auto chose %s", chosen)
			}
			v := mustOpen(t, cfg)
			large := strings.Repeat("s", 6000)
			putItem(t, v, vault.KindKey, "prod", "one")
			putItem(t, v, vault.KindKey, "prod", "two")
			putItem(t, v, vault.KindKey, "ünï code/@", "three")
			putItem(t, v, vault.KindSession, "prod", large)
			another := mustOpen(t, secretServiceConfig(d, t)) // as another process would
			wantItem(t, another, vault.KindKey, "prod", "two")
			wantItem(t, another, vault.KindKey, "ünï code/@", "three")
			wantItem(t, another, vault.KindSession, "prod", large)
			if names, err := another.Names(t.Context(), vault.KindKey); err != nil || !slices.Equal(names, []string{"prod", "ünï code/@"}) {
				t.Errorf("names %q, %v", names, err)
			}
			if err := another.Remove(t.Context(), vault.KindKey, "prod"); err != nil {
				t.Error(err)
			}
			everyOperation(t, v, vault.ErrNotFound, "missing")
			if _, err := v.Get(t.Context(), vault.KindKey, "prod"); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("what was removed: %v", err)
			}
			wantItem(t, v, vault.KindSession, "prod", large)
		})
	}
}

// KeePassXC asks for its password when it is searched. Where nobody is to be
// asked, it is locked, at once and for every operation.
func TestRealKeePassXCLocked(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "keepassxc")
	d := desktop.New(t)
	d.KeePassXC(false)
	cfg := secretServiceConfig(d, t)
	cfg.NoInput = true
	everyOperation(t, mustOpen(t, cfg), vault.ErrLocked)
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

//go:build linux

package vault_test

import (
	"os/exec"
	"testing"
	"time"

	"groat/vault"
	"groat/vault/vaulttest"
	"groat/vault/vaulttest/desktop"
)

// kwalletDesktop starts KWallet, its wallet open.
func kwalletDesktop(t *testing.T) (d *desktop.Desktop, daemon *exec.Cmd) {
	t.Helper()
	d = desktop.New(t)
	daemon = d.KWallet()
	d.OpenKDEWallet()
	return d, daemon
}

func kwalletConfig(d *desktop.Desktop, t *testing.T) vault.Config {
	return vault.Config{Backend: "kwallet", Environ: d.Env, StateDir: t.TempDir(), Warn: func(m string) { t.Log("warning:", m) }}
}

func TestContractKWallet(t *testing.T) {
	promised(t, "kwallet", "dbus-daemon", "kwalletd5")
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		d, _ := kwalletDesktop(t)
		cfg = kwalletConfig(d, t)
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }})
}

// A closed wallet on a screen that nobody sees: its dialog is given up, and
// what is not in it is missing without any.
func TestRealKWalletClosed(t *testing.T) {
	promised(t, "kwallet", "dbus-daemon", "kwalletd5")
	d, _ := kwalletDesktop(t)
	cfg := kwalletConfig(d, t)
	v := mustOpen(t, cfg)
	putItem(t, v, vault.KindKey, "p", "secret")
	v.Close()
	var closed int32
	if err := d.Connect().Object("org.kde.kwalletd5", "/modules/kwalletd5").Call("org.kde.KWallet.close", 0, "kdewallet", true).Store(&closed); err != nil || closed != 0 {
		t.Fatal(closed, err)
	}
	cfg.Timeout = time.Second
	v = mustOpen(t, cfg)
	everyOperation(t, v, vault.ErrNotFound, "missing")
	everyOperation(t, v, vault.ErrLocked, "get")
}

// What Put said it stored is on the disk: a daemon that dies loses nothing.
func TestRealKWalletKilled(t *testing.T) {
	promised(t, "kwallet", "dbus-daemon", "kwalletd5")
	d, daemon := kwalletDesktop(t)
	v := mustOpen(t, kwalletConfig(d, t))
	putItem(t, v, vault.KindKey, "p", "secret")
	_ = daemon.Process.Kill()
	_ = daemon.Wait()
	everyOperation(t, v, vault.ErrUnavailable)
	d.KWallet()
	d.OpenKDEWallet()
	wantItem(t, v, vault.KindKey, "p", "secret")
}

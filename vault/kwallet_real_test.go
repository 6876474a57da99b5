//go:build linux

package vault_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"groat/vault"
	"groat/vault/vaulttest"
)

// kwalletrc lets kwalletd run without its first-use wizard.
const kwalletrc = `[Wallet]
Enabled=true
First Use=false
Prompt on Open=false
Close When Idle=false
Use One Wallet=true
Default Wallet=kdewallet
[org.freedesktop.secrets]
apiEnabled=false
`

// kwalletDesktop starts kwalletd5 without a screen. open opens the wallet the
// way a log-in does, with a ready-made key; else it stays closed, and its
// dialog is on a screen that nobody sees.
func kwalletDesktop(t *testing.T, open bool, extra ...string) *desktop {
	t.Helper()
	d := newDesktop(t, append([]string{"QT_QPA_PLATFORM=offscreen", "QT_LOGGING_RULES=*.debug=false"}, extra...)...)
	config := filepath.Join(d.home, ".config")
	if err := os.MkdirAll(config, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "kwalletrc"), []byte(kwalletrc), 0o600); err != nil {
		t.Fatal(err)
	}
	startKWallet(d)
	if open {
		openKDEWallet(d)
	}
	return d
}

func startKWallet(d *desktop) {
	d.t.Helper()
	d.kwalletd = d.start(nil, "kwalletd5")
	d.await("org.kde.kwalletd5")
}

func openKDEWallet(d *desktop) {
	d.t.Helper()
	key := []byte("0123456789abcdef0123456789abcdef0123456789abcdef01234567") // 56 bytes, as PAM derives them
	call := d.connect().Object("org.kde.kwalletd5", "/modules/kwalletd5").Call("org.kde.KWallet.pamOpen", dbus.Flags(0), "kdewallet", key, int32(0))
	if call.Err != nil {
		d.t.Fatal(call.Err)
	}
}

func kwalletConfig(d *desktop, t *testing.T) vault.Config {
	return vault.Config{Backend: "kwallet", Environ: d.env, StateDir: t.TempDir(), Warn: func(m string) { t.Log("warning:", m) }}
}

func TestContractKWallet(t *testing.T) {
	promised(t, "kwallet", "dbus-daemon", "kwalletd5")
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		d := kwalletDesktop(t, true)
		cfg = kwalletConfig(d, t)
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }})
}

// A closed wallet on a screen that nobody sees: its dialog is given up, and
// what is not in it is missing without any.
func TestRealKWalletClosed(t *testing.T) {
	promised(t, "kwallet", "dbus-daemon", "kwalletd5")
	d := kwalletDesktop(t, true)
	cfg := kwalletConfig(d, t)
	v := mustOpen(t, cfg)
	putItem(t, v, vault.KindKey, "p", "secret")
	v.Close()
	var closed int32
	if err := d.connect().Object("org.kde.kwalletd5", "/modules/kwalletd5").Call("org.kde.KWallet.close", 0, "kdewallet", true).Store(&closed); err != nil || closed != 0 {
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
	d := kwalletDesktop(t, true)
	v := mustOpen(t, kwalletConfig(d, t))
	putItem(t, v, vault.KindKey, "p", "secret")
	_ = d.kwalletd.Process.Kill()
	_ = d.kwalletd.Wait()
	everyOperation(t, v, vault.ErrUnavailable)
	startKWallet(d)
	openKDEWallet(d)
	wantItem(t, v, vault.KindKey, "p", "secret")
}

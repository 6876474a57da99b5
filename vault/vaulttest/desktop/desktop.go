//go:build linux

// Package desktop starts a private session bus with the daemons that keep
// secrets on Linux, for the tests on the real thing. Everything ends with the
// test, and nothing of it touches the machine's own desktop.
package desktop

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// busConfig is a session bus that activates nothing: what runs on it was
// started by the test.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Desktop is a private session bus and a private home.
type Desktop struct {
	t testing.TB
	// Home is the fresh home directory.
	Home string
	// Env is the environment of a program on this desktop.
	Env []string
	// Bus is the bus daemon, for tests that end it.
	Bus *exec.Cmd
}

// Start runs a program on the desktop until the test ends.
func (d *Desktop) Start(stdin io.Reader, name string, args ...string) *exec.Cmd {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = d.Env
	cmd.Stdin = stdin
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

// New starts a bus; extra variables go into its environment.
func New(t testing.TB, extra ...string) *Desktop {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // t.TempDir can exceed a socket path's 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "bus")
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, []byte(strings.Replace(busConfig, "SOCKET", socket, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &Desktop{t: t, Home: t.TempDir()}
	d.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + d.Home, "XDG_RUNTIME_DIR=" + dir,
		"DBUS_SESSION_BUS_ADDRESS=unix:path=" + socket,
		"QT_QPA_PLATFORM=offscreen", "QT_LOGGING_RULES=*.debug=false"}, extra...)
	cmd := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address=1")
	cmd.Env = d.Env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("dbus-daemon did not start: %v", err)
	}
	d.Bus = cmd
	return d
}

// Connect opens a connection of the test's own.
func (d *Desktop) Connect() *dbus.Conn {
	d.t.Helper()
	conn, err := dbus.Connect(d.Address())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	return conn
}

// Address is the bus's address.
func (d *Desktop) Address() string {
	for _, kv := range d.Env {
		if v, ok := strings.CutPrefix(kv, "DBUS_SESSION_BUS_ADDRESS="); ok {
			return v
		}
	}
	return ""
}

// Await waits until somebody owns a name on the bus.
func (d *Desktop) Await(name string) {
	d.t.Helper()
	conn := d.Connect()
	owned := make(chan *dbus.Signal, 16)
	conn.Signal(owned)
	if err := conn.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		d.t.Fatal(err)
	}
	var has bool
	if err := conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&has); err != nil {
		d.t.Fatal(err)
	}
	deadline := time.After(30 * time.Second)
	for !has {
		select {
		case s := <-owned:
			has = s != nil && len(s.Body) == 3 && s.Body[0] == name && s.Body[2] != ""
		case <-deadline:
			d.t.Fatalf("nobody became %s", name)
		}
	}
}

// GnomeKeyring starts gnome-keyring's secrets component; with a password it
// creates or unlocks the collection "login", without one the collections stay
// as they are on disk: locked, or absent.
func (d *Desktop) GnomeKeyring(password string) *exec.Cmd {
	d.t.Helper()
	args := []string{"--foreground", "--components=secrets", "--control-directory=" + d.t.TempDir()}
	if password != "" {
		args = append(args, "--unlock")
	}
	cmd := d.Start(strings.NewReader(password), "gnome-keyring-daemon", args...)
	d.Await("org.freedesktop.secrets")
	return cmd
}

// What KeePassXC needs to answer as the Secret Service with nobody at its
// windows: the plugin, no questions, and a group of the database that it shows.
// It does not save: version 2.7.4 can crash when it is asked meanwhile.
const (
	keePassXCIni = `[General]
ConfigVersion=2
UpdateCheckMessageShown=true
AutoSaveAfterEveryChange=false
[GUI]
CheckForUpdates=false
[FdoSecrets]
Enabled=true
ShowNotification=false
ConfirmAccessItem=false
ConfirmDeleteItem=false
`
	keePassXCDatabase = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<KeePassFile><Meta><CustomData>
<Item><Key>FDO_SECRETS_EXPOSED_GROUP</Key><Value>{00112233-4455-6677-8899-aabbccddeeff}</Value></Item>
</CustomData></Meta><Root><Group><UUID>ABEiM0RVZneImaq7zN3u/w==</UUID><Name>Root</Name></Group></Root></KeePassFile>
`
)

// KeePassXC starts KeePassXC with a new database "passwords", which it shows as
// its only collection, open or locked.
func (d *Desktop) KeePassXC(open bool) {
	d.t.Helper()
	database := filepath.Join(d.Home, "passwords.kdbx")
	for path, text := range map[string]string{
		filepath.Join(d.Home, ".config/keepassxc/keepassxc.ini"): keePassXCIni,
		database + ".xml": keePassXCDatabase,
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			d.t.Fatal(err)
		}
	}
	create := exec.Command("keepassxc-cli", "import", "--quiet", "--set-password", "--decryption-time", "100", database+".xml", database)
	create.Env, create.Stdin = d.Env, strings.NewReader("pw\npw\n")
	if out, err := create.CombinedOutput(); err != nil {
		d.t.Fatalf("%v: %s", err, out)
	}
	if !open {
		d.Start(nil, "keepassxc", database)
		d.Await("org.freedesktop.secrets")
		return
	}
	d.Start(strings.NewReader("pw\n"), "keepassxc", "--pw-stdin", database)
	d.Await("org.freedesktop.secrets")
	// It is on the bus before it has read the password: whoever asks for an
	// item by then makes it ask in a window instead.
	collection := d.Connect().Object("org.freedesktop.secrets", "/org/freedesktop/secrets/collection/passwords")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		locked, err := collection.GetProperty("org.freedesktop.Secret.Collection.Locked")
		if err == nil && locked.Value() == false {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("KeePassXC did not open its database: %v, %v", locked, err)
		}
	}
}

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

// KWalletSecrets starts kwalletd5 as the Secret Service, with an open wallet.
// It shows the wallets that are there when it starts.
func (d *Desktop) KWalletSecrets() {
	d.t.Helper()
	first := d.KWallet()
	d.OpenKDEWallet()
	_ = first.Process.Kill()
	_ = first.Wait()
	d.kwallet(strings.Replace(kwalletrc, "apiEnabled=false", "apiEnabled=true", 1))
	d.OpenKDEWallet()
	d.Await("org.freedesktop.secrets")
}

// KWallet starts kwalletd5 without a screen. Until OpenKDEWallet its wallet is
// closed, and its dialog is on a screen that nobody sees.
func (d *Desktop) KWallet() *exec.Cmd {
	d.t.Helper()
	return d.kwallet(kwalletrc)
}

func (d *Desktop) kwallet(settings string) *exec.Cmd {
	d.t.Helper()
	config := filepath.Join(d.Home, ".config")
	if err := os.MkdirAll(config, 0o700); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(config, "kwalletrc"), []byte(settings), 0o600); err != nil {
		d.t.Fatal(err)
	}
	cmd := d.Start(nil, "kwalletd5")
	d.Await("org.kde.kwalletd5")
	return cmd
}

// OpenKDEWallet opens the wallet, which it makes if need be, the way a log-in
// does: with a ready-made key, no dialog.
func (d *Desktop) OpenKDEWallet() {
	d.t.Helper()
	key := []byte("0123456789abcdef0123456789abcdef0123456789abcdef01234567") // 56 bytes, as PAM derives them
	call := d.Connect().Object("org.kde.kwalletd5", "/modules/kwalletd5").Call("org.kde.KWallet.pamOpen", dbus.Flags(0), "kdewallet", key, int32(0))
	if call.Err != nil {
		d.t.Fatal(call.Err)
	}
}

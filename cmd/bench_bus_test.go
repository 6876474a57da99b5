package cmd

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startSecretService starts a session bus of its own with an unlocked GNOME
// keyring, both until the test ends, and returns the environment to reach it.
func startSecretService(t testing.TB) []string {
	t.Helper()
	for _, program := range []string{"dbus-daemon", "dbus-send", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir, err := os.MkdirTemp("", "bus") // a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	config := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, `<busconfig><type>session</type><listen>unix:path=%s/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{"DBUS_SESSION_BUS_ADDRESS=unix:path=" + dir + "/bus", "XDG_RUNTIME_DIR=" + dir}
	bus := exec.Command("dbus-daemon", "--config-file="+config, "--nofork", "--print-address=1")
	out, err := bus.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	startUntilEnd(t, bus)
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("dbus-daemon: %v", err)
	}
	keyring := exec.Command("gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets")
	keyring.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, environ...)
	keyring.Stdin = strings.NewReader("pw")
	startUntilEnd(t, keyring)
	for deadline := time.Now().Add(30 * time.Second); ; {
		ask := exec.Command("dbus-send", "--session", "--print-reply=literal", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets")
		ask.Env = environ
		if out, _ := ask.Output(); strings.Contains(string(out), "true") {
			return environ
		}
		if time.Now().After(deadline) {
			t.Fatal("the keyring did not come up")
		}
	}
}

func startUntilEnd(t testing.TB, c *exec.Cmd) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
}

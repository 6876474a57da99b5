package cmd

import (
	"os/exec"
	"strings"
	"testing"

	"groat/vault/vaulttest/desktop"
)

// startSecretService starts a session bus of its own with an unlocked GNOME
// keyring, both until the test ends, and returns the environment to reach it.
func startSecretService(t testing.TB) []string {
	t.Helper()
	for _, program := range []string{"dbus-daemon", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	d := desktop.New(t)
	d.GnomeKeyring("pw")
	var environ []string
	for _, kv := range d.Env {
		if strings.HasPrefix(kv, "DBUS_SESSION_BUS_ADDRESS=") || strings.HasPrefix(kv, "XDG_RUNTIME_DIR=") {
			environ = append(environ, kv)
		}
	}
	return environ
}

//go:build linux

package vault_test

import (
	"os/exec"
	"strings"
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
)

// gnomeKeyring starts gnome-keyring's secrets component on the desktop; with
// a password it creates or unlocks the collection "login", without one the
// collections stay as they are on disk: locked, or absent.
func gnomeKeyring(d *desktop, password string) *exec.Cmd {
	d.t.Helper()
	args := []string{"--foreground", "--components=secrets", "--control-directory=" + d.t.TempDir()}
	if password != "" {
		args = append(args, "--unlock")
	}
	cmd := d.start(strings.NewReader(password), "gnome-keyring-daemon", args...)
	d.await("org.freedesktop.secrets")
	return cmd
}

func secretServiceConfig(d *desktop, t *testing.T) vault.Config {
	return vault.Config{Backend: "secret-service", Environ: d.env, StateDir: t.TempDir(), Warn: func(m string) { t.Log("warning:", m) }}
}

func mustOpen(t *testing.T, cfg vault.Config) vault.Vault {
	t.Helper()
	v, err := vault.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestContractSecretService(t *testing.T) {
	promised(t, "secret-service", "dbus-daemon", "gnome-keyring-daemon")
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		d := newDesktop(t)
		gnomeKeyring(d, "pw")
		cfg = secretServiceConfig(d, t)
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }})
}

package vault_test

import (
	"encoding/hex"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
	"groat/vault/vaulttest/desktop"
)

// What we store directly, without the keyring library, the library reads: a
// way out stays open.
func TestKeyringReadsOurItems(t *testing.T) {
	reader, built := filepath.Join(t.TempDir(), "reader"), false
	build := func(t *testing.T) {
		t.Helper()
		if built {
			return
		}
		built = true
		if out, err := exec.Command("go", "build", "-o", reader, "./testdata/reader").CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, out)
		}
	}
	for _, c := range []struct {
		backend, place string
		programs       []string
		environ        func(t *testing.T) []string
	}{
		{"secret-service", "login", []string{"dbus-daemon", "gnome-keyring-daemon"}, func(t *testing.T) []string {
			d := desktop.New(t)
			d.GnomeKeyring("pw")
			return d.Env
		}},
		{"kwallet", "groat", []string{"dbus-daemon", "kwalletd5"}, func(t *testing.T) []string { d, _ := kwalletDesktop(t); return d.Env }},
		{"pass", "groat", []string{"pass", "gpg"}, func(t *testing.T) []string { return vaulttest.PassStore(t, "", "") }},
	} {
		t.Run(c.backend, func(t *testing.T) {
			promised(t, c.backend, c.programs...)
			build(t)
			environ := c.environ(t)
			v := mustOpen(t, vault.Config{Backend: c.backend, Environ: environ, StateDir: t.TempDir()})
			putItem(t, v, vault.KindKey, "my prod", "TheSecret")
			read := func(name string) string {
				t.Helper()
				cmd := exec.Command(reader, c.backend, c.place, name)
				// The library would launch a bus where there is none.
				cmd.Env = append(slices.Clone(environ), "DBUS_SESSION_BUS_ADDRESS=disabled:")
				if value(environ, "DBUS_SESSION_BUS_ADDRESS") != "" {
					cmd.Env = environ
				}
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("the library cannot read %q: %v\n%s", name, err, out)
				}
				return strings.TrimSpace(string(out))
			}
			name := vault.EncodeName(vault.KindKey, "my prod")
			if listed := read("-"); !strings.Contains(listed, name) {
				t.Errorf("the library lists %s", listed)
			}
			key, data, _ := strings.Cut(read(name), " ")
			envelope, err := hex.DecodeString(data)
			if err != nil || key != name {
				t.Fatalf("%q %q, %v", key, data, err)
			}
			if got, err := vault.UnwrapEnvelope(vault.KindKey, "my prod", envelope); err != nil || string(got) != "TheSecret" {
				t.Errorf("the library read %q, %v", got, err)
			}
		})
	}
}

package cmd

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"groat/vault"
)

// TestImportNeverLoses: whichever operation on the vault fails, and from
// which on all do, the key is in the vault, whole, or still in the file; and
// running again finishes.
func TestImportNeverLoses(t *testing.T) {
	const id, secret = "AKIAI44QH8DHBEXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	before := "[default]\naws_access_key_id = " + id + "\naws_secret_access_key = " + secret + "\nregion = x\n"
	points := 0
	for _, dies := range []bool{false, true} {
		for n := 0; ; n++ {
			home := t.TempDir()
			path := filepath.Join(home, "credentials")
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
			environ := []string{"HOME=" + home, "GROAT_BACKEND=pass"}
			v := elsewhere{vault.NewMemory()}
			at := 0
			v.Fail = func(string, vault.Kind, string) error {
				if at++; at == n+1 || at > n && dies {
					return vault.ErrUnavailable
				}
				return nil
			}
			run := func() result {
				return runWith(t, environ, map[string]vault.Vault{"pass": v}, "import", "--from", "credentials-file", "--source-dir", home, "--delete-source")
			}
			r := run()
			reached := at > n
			v.Fail = nil
			points++
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			key, err := vault.GetKey(t.Context(), v, "default")
			stored := err == nil && key.ID == id && key.Secret == secret
			if !stored && string(text) != before {
				t.Fatalf("point %d: the key is lost: %v; file %q", n, err, text)
			}
			if r.code == 0 && (!stored || string(text) == before) {
				t.Fatalf("point %d: it said that all is well: %v, %s", n, stored, r.stdout+r.stderr)
			}
			if err != nil && !errors.Is(err, vault.ErrNotFound) {
				t.Fatalf("point %d: torn: %v", n, err)
			}
			if r := run(); r.code != 0 {
				t.Fatalf("point %d: again: %d %s", n, r.code, r.stderr)
			}
			if key, err := vault.GetKey(t.Context(), v, "default"); err != nil || key.Secret != secret {
				t.Fatalf("point %d: after running again: %v", n, err)
			}
			if !reached {
				break
			}
		}
	}
	t.Logf("import: %d kill and fault points, 0 keys lost", points)
}

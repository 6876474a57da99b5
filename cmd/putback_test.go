package cmd

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whatever old file is put back after a key was replaced: nobody gets the old
// identity, and the new key is the one that the vault gives or names as lost.
func TestPutBackAfterAKeyWasReplaced(t *testing.T) {
	a := startAWS(t)
	env := append(a.environment(t), "GROAT_NO_INPUT=1")
	home := homeOf(env)
	add := func(id, secret string) {
		t.Helper()
		mustRun(t, env, id+" "+secret, "add", "default", "--stdin", "--mfa-serial", "none", "--no-config", "--overwrite")
	}
	snapshot := func() map[string][]byte {
		t.Helper()
		all := map[string][]byte{}
		for _, dir := range []string{".local/share/groat/vault", ".local/state/groat"} {
			entries, err := os.ReadDir(filepath.Join(home, dir))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Type().IsRegular() {
					path := filepath.Join(home, dir, e.Name())
					if all[path], err = os.ReadFile(path); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		return all
	}
	put := func(path string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	add(a.key.ID, a.key.Secret)
	if r := mustRun(t, env, "", "whoami", "default"); !strings.Contains(r.stdout, "user/myusername") {
		t.Fatal(r)
	}
	old := snapshot()
	key := a.AddUser("123456789012", "another").AddAccessKey()
	add(key.ID, key.Secret)
	for path := range snapshot() {
		if strings.HasPrefix(filepath.Base(path), "session.") {
			t.Errorf("a session of the replaced key is left: %s", path)
		}
	}
	mustRun(t, env, "", "whoami", "default")
	now := snapshot()
	said := map[string]string{"card.default": "had been put back", "key.default": "an old copy of the item was put back"}
	for path, data := range old {
		base := filepath.Base(path)
		for _, warm := range []bool{true, false} {
			for path, data := range now {
				put(path, data)
			}
			put(path, data)
			if !warm {
				mustRun(t, env, "", "clear", "--backend", "file")
			}
			r := runMain(t, env, "", "whoami", "default")
			lost := base == "key.default" && !warm
			if lost != (r.code == exitVault) || !lost && !strings.Contains(r.stdout, "user/another") {
				t.Errorf("%s put back, warm %v: exit code %d, %s%s", base, warm, r.code, r.stdout, r.stderr)
			}
			if want, ok := said[base]; ok && (lost || base == "card.default") && !strings.Contains(r.stderr, want) {
				t.Errorf("%s put back, warm %v: said %q", base, warm, r.stderr)
			}
			if base == "card.default" && slices.Equal(snapshot()[path], data) {
				t.Error("the old card was not mended")
			}
		}
	}
	if len(old) < 5 {
		t.Errorf("only %d files were put back", len(old))
	}
}

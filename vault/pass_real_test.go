//go:build linux || darwin

package vault_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/vault"
	"groat/vault/vaulttest"
)

func passConfig(t *testing.T, environ []string) vault.Config {
	return vault.Config{Backend: "pass", Environ: environ, StateDir: t.TempDir()}
}

func TestContractPass(t *testing.T) {
	promised(t, "pass", "pass", "gpg")
	environ := vaulttest.PassStore(t, "", "")
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		// One gpg home, a folder of the store for each case.
		cfg = passConfig(t, environ)
		cfg.PassPrefix = "groat/" + strings.ReplaceAll(filepath.Base(t.Name()), "-", "_")
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }, Workers: 3})
}

// fakePinentry speaks as much Assuan as gpg-agent needs and answers GETPIN.
func fakePinentry(answer string) string {
	return "#!/bin/sh\necho 'OK ready'\nwhile read -r c a; do case $c in GETPIN) " + answer + ";; BYE) echo OK; exit 0;; *) echo OK;; esac; done\n"
}

// gpg's failures are told apart, and nothing of what it says reaches us.
func TestPassFailures(t *testing.T) {
	promised(t, "pass", "pass", "gpg")
	for _, c := range []struct {
		name, pinentry string
		want           error
		says           string
		prepare        func(t *testing.T, environ []string)
	}{
		{"wrong passphrase", fakePinentry("echo 'D wrong'; echo OK"), vault.ErrPassphrase, "refused", nil},
		{"no pinentry", "", vault.ErrLocked, "pinentry", nil},
		{"no secret key", fakePinentry("echo 'D right'; echo OK"), vault.ErrUnavailable, "not on this machine", func(t *testing.T, environ []string) {
			if err := os.RemoveAll(filepath.Join(value(environ, "GNUPGHOME"), "private-keys-v1.d")); err != nil {
				t.Fatal(err)
			}
		}},
		{"damaged file", fakePinentry("echo 'D right'; echo OK"), vault.ErrUnavailable, "pass failed", func(t *testing.T, environ []string) {
			if err := os.WriteFile(filepath.Join(value(environ, "PASSWORD_STORE_DIR"), "groat", "key.p.gpg"), []byte("garbage"), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			environ := vaulttest.PassStore(t, "right", c.pinentry)
			v := mustOpen(t, passConfig(t, environ))
			if err := v.Put(t.Context(), vault.KindKey, "p", []byte("TheSecret")); err != nil {
				t.Fatal(err)
			}
			if c.prepare != nil {
				c.prepare(t, environ)
			}
			var err error
			leaked := captureStderr(t, func() { _, err = v.Get(t.Context(), vault.KindKey, "p") })
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %v saying %q", err, c.want, c.says)
			}
			if errors.Is(err, vault.ErrNotFound) {
				t.Error("taken for missing")
			}
			if leaked != "" {
				t.Errorf("leaked to our stderr: %q", leaked)
			}
		})
	}
	t.Run("right passphrase", func(t *testing.T) {
		v := mustOpen(t, passConfig(t, vaulttest.PassStore(t, "right", fakePinentry("echo 'D right'; echo OK"))))
		if err := v.Put(t.Context(), vault.KindKey, "p", []byte("TheSecret")); err != nil {
			t.Fatal(err)
		}
		if got, err := v.Get(t.Context(), vault.KindKey, "p"); err != nil || string(got) != "TheSecret" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("a pinentry that nobody answers", func(t *testing.T) {
		cfg := passConfig(t, vaulttest.PassStore(t, "right", fakePinentry("sleep 3")))
		v := mustOpen(t, cfg)
		if err := v.Put(t.Context(), vault.KindKey, "p", []byte("TheSecret")); err != nil {
			t.Fatal(err)
		}
		cfg.Timeout = 300 * time.Millisecond
		if _, err := mustOpen(t, cfg).Get(t.Context(), vault.KindKey, "p"); !errors.Is(err, vault.ErrLocked) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("questions are switched off", func(t *testing.T) {
		asked := filepath.Join(t.TempDir(), "asked")
		cfg := passConfig(t, vaulttest.PassStore(t, "right", fakePinentry("echo >'"+asked+"'; echo 'D right'; echo OK")))
		cfg.NoInput = true
		putItem(t, mustOpen(t, cfg), vault.KindKey, "p", "TheSecret")
		_, err := mustOpen(t, cfg).Get(t.Context(), vault.KindKey, "p")
		var e *vault.Error
		if !errors.Is(err, vault.ErrLocked) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "--no-input") {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(asked); err == nil {
			t.Error("pinentry was asked")
		}
		cfg.NoInput = false
		wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "TheSecret")
		cfg.NoInput = true // what gpg-agent remembers still serves
		wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "TheSecret")
	})
	t.Run("nobody to encrypt for", func(t *testing.T) {
		environ := vaulttest.PassStore(t, "", "")
		if err := os.WriteFile(filepath.Join(value(environ, "PASSWORD_STORE_DIR"), ".gpg-id"), []byte("0123456789ABCDEF0123456789ABCDEF01234567\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		err := mustOpen(t, passConfig(t, environ)).Put(t.Context(), vault.KindKey, "p", []byte("x"))
		if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "encrypt for") {
			t.Errorf("got %v", err)
		}
	})
}

// A card is opened by gpg once, however often it is read, until its file is
// another one; a key is opened each time, and nothing of it is kept.
func TestPassOpensACardOnce(t *testing.T) {
	promised(t, "pass", "pass", "gpg")
	environ := vaulttest.PassStore(t, "", "")
	log := filepath.Join(t.TempDir(), "log")
	cfg := passConfig(t, environ)
	cfg.PassCmd = filepath.Join(t.TempDir(), "pass")
	if err := os.WriteFile(cfg.PassCmd, []byte("#!/bin/sh\ncase $1 in show) echo >>'"+log+"';; esac\nexec pass \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	shown := func() int {
		data, _ := os.ReadFile(log)
		return len(data)
	}
	for round, content := range []string{"old", "new"} {
		putItem(t, mustOpen(t, cfg), vault.KindCard, "p", content)
		putItem(t, mustOpen(t, cfg), vault.KindKey, "p", "TheSecret")
		before := shown()
		for range 3 {
			wantItem(t, mustOpen(t, cfg), vault.KindCard, "p", content)
			wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "TheSecret")
		}
		if n := shown() - before; n != 4 {
			t.Errorf("round %d: pass was asked %d times, want once for the card and 3 times for the key", round, n)
		}
	}
	kept, err := filepath.Glob(filepath.Join(cfg.StateDir, "pass", "*"))
	if err != nil || len(kept) != 1 || filepath.Base(kept[0]) != "card.p" {
		t.Fatalf("kept: %q, %v", kept, err)
	}
	// What is kept counts for the file that was opened, and only while nobody
	// else could have written it.
	before := shown()
	if err := os.Chmod(kept[0], 0o666); err != nil {
		t.Fatal(err)
	}
	wantItem(t, mustOpen(t, cfg), vault.KindCard, "p", "new")
	if shown() == before {
		t.Error("a copy that others may write to was believed")
	}
	if err := mustOpen(t, cfg).Remove(t.Context(), vault.KindCard, "p"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(kept[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the copy outlives the card: %v", err)
	}
}

// A Put that fails half-way leaves the old item as it was, and nothing else.
func TestPassPutFails(t *testing.T) {
	promised(t, "pass", "pass", "gpg")
	environ := vaulttest.PassStore(t, "", "")
	cfg := passConfig(t, environ)
	putItem(t, mustOpen(t, cfg), vault.KindKey, "p", "old")
	store := value(environ, "PASSWORD_STORE_DIR")
	for name, script := range map[string]string{
		"insert fails":        `case $1 in insert) exec pass nonsense-that-fails;; esac; exec pass "$@"`,
		"a full disk":         `case $1 in insert) for last; do :; done; printf half >"$PASSWORD_STORE_DIR/$last.gpg"; exit 1;; esac; exec pass "$@"`,
		"nothing is written":  `case $1 in insert) cat >/dev/null; exit 0;; esac; exec pass "$@"`,
		"it is killed":        `case $1 in insert) for last; do :; done; printf half >"$PASSWORD_STORE_DIR/$last.gpg"; kill -9 $$;; esac; exec pass "$@"`,
		"taking place fails":  `case $1 in mv) exit 1;; esac; exec pass "$@"`,
		"says no and does it": `pass "$@"; case $1 in insert) exit 1;; esac`,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := cfg
			cfg.PassCmd = filepath.Join(t.TempDir(), "pass")
			if err := os.WriteFile(cfg.PassCmd, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := mustOpen(t, cfg).Put(t.Context(), vault.KindKey, "p", []byte("new")); err == nil {
				t.Error("Put says it is stored")
			}
			wantItem(t, mustOpen(t, passConfig(t, environ)), vault.KindKey, "p", "old")
			files, err := filepath.Glob(filepath.Join(store, "groat", "*"))
			if err != nil || len(files) != 1 {
				t.Errorf("left behind: %q, %v", files, err)
			}
		})
	}
}

func TestPassPrefixStaysInside(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "pass")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"../x", "..", "a/../../x", "/etc", "-p", "--force", "a\x00b", "a\nb"} {
		_, err := vault.Open(vault.Config{Backend: "pass", PassPrefix: prefix, PassCmd: program, StateDir: dir, Environ: []string{"HOME=" + dir}})
		if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "prefix") {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}

func TestPassIsNotHere(t *testing.T) {
	dir := t.TempDir()
	_, err := vault.Open(vault.Config{Backend: "pass", StateDir: dir, Environ: []string{"HOME=" + dir, "PATH=" + dir}})
	if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), `"pass"`) {
		t.Errorf("without the program: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pass"), []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	v := mustOpen(t, vault.Config{Backend: "pass", StateDir: dir, Environ: []string{"HOME=" + dir, "PATH=" + dir}})
	err = v.Put(t.Context(), vault.KindKey, "p", []byte("x"))
	_, gerr := v.Get(t.Context(), vault.KindKey, "p")
	_, nerr := v.Names(t.Context(), vault.KindKey)
	for what, err := range map[string]error{"put": err, "get": gerr, "names": nerr, "remove": v.Remove(t.Context(), vault.KindKey, "p")} {
		var e *vault.Error // a store that is not there lacks no key: it is the wrong one
		if !errors.Is(err, vault.ErrUnavailable) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "pass init") {
			t.Errorf("without a store: %s: %v", what, err)
		}
	}
}

// Names of folders, dotfiles and other files are not taken for items.
func TestPassNames(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, ".password-store", "groat")
	if err := os.MkdirAll(filepath.Join(folder, "key.folder.gpg"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"key.p.gpg", ".hidden.gpg", "key.q.gpg~", "README", "key.Q.gpg", "../pass"} {
		if err := os.WriteFile(filepath.Join(folder, f), []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	v := mustOpen(t, vault.Config{Backend: "pass", PassCmd: filepath.Join(folder, "../pass"), StateDir: dir, Environ: []string{"HOME=" + dir}})
	names, err := v.Names(t.Context(), vault.KindKey)
	if err != nil || len(names) != 1 || names[0] != "p" {
		t.Errorf("names %q, %v", names, err)
	}
}

// captureStderr runs f with the process's standard error redirected.
func captureStderr(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = w
	f()
	os.Stderr = old
	w.Close()
	out, _ := io.ReadAll(r)
	return string(out)
}

func value(environ []string, name string) string {
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

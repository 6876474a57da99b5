package vault

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenNamed(t *testing.T) {
	cfg := Config{Backend: "file", FileDir: filepath.Join(t.TempDir(), "v"), StateDir: t.TempDir()}
	v, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if v.Backend() != "file" {
		t.Errorf("opened %q", v.Backend())
	}
	if _, err := os.Stat(cfg.FileDir); err == nil {
		t.Error("opening created the vault")
	}
}

// A named backend never falls through to another; the others are named.
func TestOpenUnknownBackend(t *testing.T) {
	for _, name := range []string{"nonsense", "FILE", "file ", "memory"} {
		_, err := Open(Config{Backend: name, StateDir: t.TempDir()})
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%q: %v", name, err)
			continue
		}
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(e.Hint(), "file") {
			t.Errorf("%q: the hint names no other backend: %v", name, err)
		}
	}
}

// Without a bus, a display or anything else "auto" is the file vault.
func TestAutoOnABareMachine(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg := Config{FileDir: filepath.Join(t.TempDir(), "v"), StateDir: t.TempDir(),
		Environ: []string{"HOME=" + t.TempDir(), "XDG_RUNTIME_DIR=" + t.TempDir()}}
	for _, name := range []string{"", "auto"} {
		cfg.Backend = name
		v, err := Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if v.Backend() != "file" {
			t.Errorf("%q chose %q", name, v.Backend())
		}
	}
}

// A recorded backend counts as named: "auto" does not look elsewhere for keys
// only because their backend does not answer today.
func TestAutoKeepsToTheRecord(t *testing.T) {
	cfg := Config{Backend: "auto", FileDir: filepath.Join(t.TempDir(), "v"), StateDir: t.TempDir(),
		Environ: []string{"XDG_RUNTIME_DIR=" + t.TempDir()}}
	other := ""
	for _, name := range Backends() {
		if name != "file" {
			other = name
		}
	}
	if other == "" {
		t.Skip("this build has the file vault alone")
	}
	if err := (&Registry{StateDir: cfg.StateDir}).Note("p", other); err != nil {
		t.Fatal(err)
	}
	v, err := Open(cfg)
	if err == nil && v.Backend() != other {
		t.Errorf("the key is in %q, and %q was opened", other, v.Backend())
	}
	if err := (&Registry{StateDir: cfg.StateDir}).Note("q", "file"); err != nil {
		t.Fatal(err)
	}
	if v, err = Open(cfg); err != nil {
		t.Fatal(err)
	}
	if v.Backend() != "file" {
		t.Errorf("keys in two backends: %q was opened, of which nothing answers", v.Backend())
	}
}

// A build has the backends of its platform, no others, and what is not there
// says why.
func TestTableOfBackends(t *testing.T) {
	for _, b := range table {
		if b.open == nil && b.native() && b.name != "keychain" {
			t.Errorf("%s cannot be opened on its own platform", b.name)
		}
		if b.open != nil && !b.native() {
			t.Errorf("%s can be opened on a platform that the table does not give it", b.name)
		}
		_, err := Open(Config{Backend: b.name, StateDir: t.TempDir(), Environ: []string{"PATH=" + t.TempDir()}})
		if b.open == nil && !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", b.name, err)
		}
	}
}

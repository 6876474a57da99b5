package profile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"groat/vault/files"
)

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestSetKeysKeepsModeAndSymlink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes and no free symlinks on Windows")
	}
	dir := t.TempDir()
	real, link := filepath.Join(dir, "dotfiles"), filepath.Join(dir, "config")
	writeFile(t, real, "[default]\nregion = x\n", 0o640)
	if err := os.Symlink("dotfiles", link); err != nil {
		t.Fatal(err)
	}
	if err := SetKeys(context.Background(), link, "default", KeyValue{"mfa_serial", "s"}, KeyValue{"region", "y"}); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, real); got != "[default]\nregion = y\nmfa_serial = s\n" {
		t.Errorf("text %q", got)
	}
	if fi, err := os.Stat(real); err != nil || fi.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	if target, err := os.Readlink(link); err != nil || target != "dotfiles" {
		t.Errorf("link %q, %v", target, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
}

// AWS_CONFIG_FILE=/dev/null is usual on build machines, and root could rename
// a file over it.
func TestDevicesAreNotReplaced(t *testing.T) {
	_, err := EditFile(t.Context(), os.DevNull, EditOptions{disk: files.Disk{Before: func(op, path string) error {
		t.Errorf("%s %s", op, path)
		return fs.ErrPermission
	}}}, func(d *Document) error { return d.Set("default", "region", "x") })
	if !errors.Is(err, ErrAccess) || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
}

func TestEndlessFilesAreNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, "", 0o600)
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(LoadOptions{ConfigFile: path}); !errors.Is(err, ErrAccess) || !strings.Contains(err.Error(), "the file is too large") {
		t.Errorf("%v", err)
	}
}

func TestSetKeysCreatesPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".aws", "config")
	if err := SetKeys(context.Background(), path, "dev", KeyValue{"region", "x"}); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, path); got != "[profile dev]\nregion = x\n" {
		t.Errorf("text %q", got)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v", p, fi.Mode(), err)
		}
	}
}

// An outside edit between reading and writing is a conflict, once; SetKeys
// starts anew and loses neither change.
func TestOutsideEditIsDetected(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, "[default]\n", 0o600)
	_, err := EditFile(context.Background(), path, EditOptions{}, func(d *Document) error {
		writeFile(t, path, "[default]\noutput = json\n", 0o600)
		return d.Set("default", "region", "x")
	})
	if !errors.Is(err, ErrConflict) || readFile(t, path) != "[default]\noutput = json\n" {
		t.Errorf("error %v, text %q", err, readFile(t, path))
	}
	var pe *Error
	if !errors.As(err, &pe) || pe.Hint() == "" {
		t.Errorf("no hint in %v", err)
	}
}

func TestDryRunShowsMaskedDiff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	text := "[default]\naws_secret_access_key = hush\n# aws_session_token=hush too\nregion = x\n"
	writeFile(t, path, text, 0o600)
	change, err := EditFile(context.Background(), path, EditOptions{DryRun: true}, func(d *Document) error { return d.Set("default", "region", "y") })
	if err != nil || readFile(t, path) != text {
		t.Errorf("error %v, text %q", err, readFile(t, path))
	}
	if strings.Contains(change, "hush") || !strings.Contains(change, "-region = x\n+region = y\n") || !strings.HasPrefix(change, "--- ") {
		t.Errorf("diff %q", change)
	}
}

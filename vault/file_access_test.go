//go:build unix

package vault

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFileRefusesWhatOthersCanChange(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(t *testing.T, dir string)
		err    error
		remedy string
	}{
		{"item 0644", mode("key.p", 0o644), ErrUnavailable, "chmod 600 DIR/key.p"},
		{"item 0777", mode("key.p", 0o777), ErrUnavailable, "chmod 600 DIR/key.p"},
		{"item 0620", mode("key.p", 0o620), ErrUnavailable, "chmod 600 DIR/key.p"},
		{"header 0644", mode("header", 0o644), ErrUnavailable, "chmod 600 DIR/header"},
		{"directory 0755", mode(".", 0o755), ErrUnavailable, "chmod 700 DIR"},
		{"directory 0777", mode(".", 0o777), ErrUnavailable, "chmod 700 DIR"},
		{"item of another user", owner("key.p"), ErrUnavailable, "sudo chown"},
		{"header of another user", owner("header"), ErrUnavailable, "sudo chown"},
		{"directory of another user", owner("."), ErrUnavailable, "sudo chown"},
		{"item is a symbolic link", link("key.p"), ErrUnavailable, ""},
		{"folder above can be written by others", mode("..", 0o777), ErrUnavailable, "chmod go-w"},
		{"header is a symbolic link", link("header"), ErrUnavailable, ""},
		{"item is a pipe", pipe("key.p"), ErrCorrupt, "groat add"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newDir(t)
			f, _ := testFile(dir, says("x"))
			mustPut(t, f, KindKey, "p", "1")
			mustPut(t, f, KindKey, "q", "2")
			c.spoil(t, dir)
			g, _ := testFile(dir, says("x"))
			_, err := g.Get(t.Context(), KindKey, "p")
			var e *Error
			if !errors.Is(err, c.err) || !errors.As(err, &e) {
				t.Fatalf("Get: %v, want %v", err, c.err)
			}
			if want := strings.ReplaceAll(c.remedy, "DIR", dir); !strings.Contains(e.Hint(), want) {
				t.Errorf("hint %q, want %q", e.Hint(), want)
			}
			if strings.HasPrefix(c.name, "item") { // the others are still served
				wantGet(t, g, KindKey, "q", "2")
			}
		})
	}
	t.Run("directory is a symbolic link", func(t *testing.T) {
		dir := newDir(t)
		f, _ := testFile(dir, says("x"))
		mustPut(t, f, KindKey, "p", "1")
		other := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(dir, other); err != nil {
			t.Fatal(err)
		}
		g, _ := testFile(other, says("x"))
		if _, err := g.Get(t.Context(), KindKey, "p"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Get: %v", err)
		}
		if err := g.Put(t.Context(), KindKey, "p", nil); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Put: %v", err)
		}
		if err := g.Remove(t.Context(), KindKey, "p"); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Remove: %v", err)
		}
		if _, err := g.Names(t.Context(), KindKey); !errors.Is(err, ErrUnavailable) {
			t.Errorf("Names: %v", err)
		}
	})
}

func TestFileModes(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	err := filepath.Walk(filepath.Dir(dir), func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func mode(name string, perm os.FileMode) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if err := os.Chmod(filepath.Join(dir, name), perm); err != nil {
			t.Fatal(err)
		}
	}
}

func owner(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give a file away")
		}
		if err := os.Chown(filepath.Join(dir, name), 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
}

func link(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path, away := filepath.Join(dir, name), filepath.Join(t.TempDir(), "away")
		if err := errors.Join(os.Rename(path, away), os.Symlink(away, path)); err != nil {
			t.Fatal(err)
		}
	}
}

func pipe(name string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

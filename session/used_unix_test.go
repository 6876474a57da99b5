//go:build unix

package session

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// What is in the place of the used codes and was not written by us alone is
// neither waited for nor believed: the code goes to AWS, with a warning.
func TestUsedCodesOfOthers(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"fifo":    func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) },
		"endless": func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
		"folder":  func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"large":   func(path string) error { return os.Truncate(path, 5<<30) },
		"mode":    func(path string) error { return os.Chmod(path, 0o666) },
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _, warned := testCache(t)
			u := c.UsedCodes()
			for _, want := range []bool{true, false} {
				if fresh, err := u.Use(t.Context(), "serial", "111111", 0); fresh != want || err != nil {
					t.Fatal(fresh, err)
				}
			}
			if err := spoil(u.Path); err != nil {
				t.Fatal(err)
			}
			fresh, err := u.Use(t.Context(), "serial", "111111", 0)
			if w := warned.list(); !fresh || err != nil || len(w) != 1 || !strings.Contains(w[0], u.Path) || strings.Contains(w[0], "111111") {
				t.Errorf("fresh %v, %v, warned %q", fresh, err, w)
			}
		})
	}
}

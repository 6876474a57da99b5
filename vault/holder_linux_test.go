package vault

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestLocksNameTheirHolder: without a moment in which the file names nobody.
func TestLocksNameTheirHolder(t *testing.T) {
	l := Locks{Dir: filepath.Join(t.TempDir(), "locks"), Backend: "file"}
	path := filepath.Join(l.Dir, "x.lock")
	if err := os.Mkdir(l.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, path, []byte("1234567890123456789\n"))
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	release, err := l.Hold(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	after, err := os.Stat(path)
	if err != nil || after.Size() != before.Size() {
		t.Errorf("%d bytes became %d, %v", before.Size(), after.Size(), err)
	}
	if note, err := os.ReadFile(path); err != nil || strings.TrimSpace(string(note)) != strconv.Itoa(os.Getpid()) {
		t.Errorf("names %q, %v", note, err)
	}
}

// TestLocksStoppedHolder: a lock whose holder is stopped is given up early,
// with an error that says so; the holder's own work goes on when it wakes.
func TestLocksStoppedHolder(t *testing.T) {
	l := Locks{Dir: filepath.Join(t.TempDir(), "locks"), Backend: "file"}
	release, err := l.Hold(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	sleeper := exec.Command("sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sleeper.Process.Kill()
		_ = sleeper.Wait()
	})
	if err := sleeper.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(l.Dir, "x.lock"), fmt.Appendf(nil, "%d", sleeper.Process.Pid)) // as if it held it
	if _, err := l.Hold(t.Context(), "x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("the lock of a stopped process: %v", err)
	}
}

package vault

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestLocksStoppedHolder: a lock whose holder is stopped is given up early,
// with an error that says so; the holder's own work goes on when it wakes.
func TestLocksStoppedHolder(t *testing.T) {
	l := Locks{Dir: t.TempDir(), Backend: "file"}
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

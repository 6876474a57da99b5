package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

func init() { askAndStop = stopAtPrompt }

// stopAtPrompt opens the vault and stops its own process at the prompt.
func stopAtPrompt(dir string) error {
	f, _ := testFile(dir, nobody())
	f.cfg.Passphrase = func(context.Context, PassphraseRequest) ([]byte, PassphraseOrigin, error) {
		return nil, "", syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	_, err := f.Get(context.Background(), KindKey, "p")
	return err
}

// TestFileStoppedAtPrompt: a process that was stopped (Ctrl-Z) while it asked
// does not keep the others out.
func TestFileStoppedAtPrompt(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s", workerVariable, "ask", dir))
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(c.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the worker did not stop: %v, %v", status, err)
	}
	g, _ := testFile(dir, says("x"))
	wantGet(t, g, KindKey, "p", "1")
	if !holderStopped(filepath.Join(dir, lockFolder, unlockLock+".lock")) {
		t.Error("the holder was not seen to be stopped")
	}
}

// TestFileOneQuestion: many who need the passphrase at once ask once, where
// the kernel remembers the answer.
func TestFileOneQuestion(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	a := types("x")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			g, _ := testFile(dir, a)
			g.memory = m
			if _, err := g.Get(t.Context(), KindKey, "p"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.count() != 1 {
		t.Errorf("asked %d times", a.count())
	}
	// Who cancels is asked alone: the next one asks for himself.
	m.keys = nil
	cancel := &asker{err: context.Canceled}
	g, _ := testFile(dir, cancel)
	g.memory = m
	if _, err := g.Get(t.Context(), KindKey, "p"); !errors.Is(err, context.Canceled) || cancel.count() != 1 {
		t.Errorf("%v, asked %d", err, cancel.count())
	}
}

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

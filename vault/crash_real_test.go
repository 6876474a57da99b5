//go:build linux

package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"groat/vault/files"
)

// whole reports whether the key of "p" is one version, whole, with its card.
func whole(ctx context.Context, f *File) error {
	key, err := GetKey(ctx, f, "p")
	if err != nil {
		return err
	}
	var n int
	if _, err := fmt.Sscanf(key.ID, "AKIA%d", &n); err != nil || key.Secret != version(n).Secret {
		return fmt.Errorf("torn: %s", key.ID)
	}
	return holds(ctx, f, "p", version(n))
}

// after a crash: the key is whole, the other item untouched, and writing works.
func afterCrash(t *testing.T, dir, what string) {
	t.Helper()
	judgeFormat(t, dir, what, "x")
	f, _ := testFile(dir, says("x"))
	if err := whole(t.Context(), f); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if err := item(t.Context(), f, KindKey, "witness", "fine"); err != nil {
		t.Errorf("%s: the other item: %v", what, err)
	}
	if _, err := PutKey(t.Context(), f, "p", version(0), Card{}); err != nil {
		t.Errorf("%s: writing again: %v", what, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, files.TempPrefix+"*")); len(left) > 0 {
		t.Errorf("%s: left behind: %v", what, left)
	}
}

func crashVault(t *testing.T) (dir, self string) {
	t.Helper()
	self, err := workerProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir = newDir(t)
	f, _ := testFile(dir, says("x"))
	witness(t, f)
	if _, err := PutKey(t.Context(), f, "p", version(0), Card{}); err != nil {
		t.Fatal(err)
	}
	return dir, self
}

// TestCrashKill9 kills a process in the midst of writing, at moments that
// nobody chose.
func TestCrashKill9(t *testing.T) {
	dir, self := crashVault(t)
	kills := 60
	if testing.Short() {
		kills = 5
	}
	for i := range kills {
		c := exec.Command(self)
		c.Env = append(os.Environ(), workerVariable+"="+overwriteJob+" ever "+dir)
		progress, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		// A byte for each operation on a file: the kill falls soon after this one.
		if _, err := io.ReadFull(progress, make([]byte, 1+i*3)); err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		afterCrash(t, dir, fmt.Sprintf("kill %d", i))
		if t.Failed() {
			return
		}
	}
	t.Logf("crash: %d processes killed with SIGKILL, 0 keys lost, 0 files torn", kills)
}

// TestCrashStrace lets the kernel fail or kill at the Nth system call of a
// kind, which the seam of TestCrash cannot be wrong about.
func TestCrashStrace(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if testing.Short() {
		t.Skip("many processes")
	}
	probe := exec.Command(strace, "-qq", "-e", "trace=none", "true")
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v %s", err, out)
	}
	dir, self := crashVault(t)
	points := 0
	for _, call := range []string{"write", "fsync", "renameat", "unlinkat", "openat"} {
		for _, fault := range []string{"error=ENOSPC", "error=EIO", "signal=KILL"} {
			for n := 1; n <= 40; n++ {
				if call == "openat" && n%2 != 0 { // mostly the runtime's own
					continue
				}
				c := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:%s:when=%d", call, fault, n), self)
				c.Env = append(os.Environ(), workerVariable+"="+overwriteJob+" once "+dir)
				out, err := c.CombinedOutput()
				var exit *exec.ExitError
				if err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				points++
				afterCrash(t, dir, fmt.Sprintf("%s %s at call %d (%v %.200s)", call, fault, n, err, out))
				if t.Failed() {
					return
				}
				if err == nil && call != "openat" { // there are fewer calls than n
					break
				}
			}
		}
	}
	t.Logf("crash: %d points by strace, 0 keys lost, 0 files torn", points)
}

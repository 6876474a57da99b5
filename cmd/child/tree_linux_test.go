package child

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A helper that is given up ends with its children, with one that was left by
// its parent and with one in a session of its own; none holds our stderr.
func TestGivenUpHelperEndsWithItsTree(t *testing.T) {
	dir := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	line := `(sh -c 'echo $$ > left; exec sleep 600' &); setsid sh -c 'echo $$ > session; exec sleep 600' & sh -c 'echo $$ > child; exec sleep 600'`
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stderr, cmd.WaitDelay = dir, []string{"PATH=/usr/bin:/bin"}, w, time.Minute
	done := make(chan error, 1)
	go func() { done <- Run(cmd) }()
	var pids []int
	for _, name := range []string{"left", "session", "child"} {
		pid := 0
		for pid == 0 {
			b, _ := os.ReadFile(filepath.Join(dir, name))
			pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
			time.Sleep(5 * time.Millisecond)
		}
		pids = append(pids, pid)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("it ended well")
	}
	for _, pid := range pids {
		stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if len(stat) > 0 && !strings.Contains(string(stat), ") Z ") {
			t.Errorf("still there: %s", stat)
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
	_ = w.Close()
	if _, err := io.ReadAll(r); err != nil {
		t.Error(err)
	}
}

// What a helper leaves running when it is done is left alone.
func TestFinishedHelperLeavesItsAgent(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $! > agent")
	cmd.Dir = dir
	if err := Run(cmd); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "agent"))
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if unix.Kill(pid, 0) != nil {
		t.Error("the agent was ended")
	}
	_ = unix.Kill(pid, unix.SIGKILL)
}

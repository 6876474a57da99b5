//go:build unix

package child

import (
	"crypto/rand"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// helperVariable marks the processes of one helper: one that was left by its
// parent, or has a session of its own, still carries it.
const helperVariable = "GROAT_HELPER"

// tree is a helper with all that it starts.
type tree struct {
	cmd  *exec.Cmd
	mark string // in the environment of all of them
}

func newTree(cmd *exec.Cmd) *tree {
	t := &tree{cmd, helperVariable + "=" + rand.Text()}
	cmd.Env = append(cmd.Environ(), t.mark)
	return t
}

func (t *tree) start() error { return t.cmd.Start() }
func (t *tree) close()       {}

// end kills the tree, and again what was started meanwhile.
func (t *tree) end() error {
	err := t.cmd.Process.Kill()
	for range 50 {
		members := t.members()
		if len(members) == 0 {
			break
		}
		for _, pid := range members {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// process is what a system's table of processes says of one.
type process struct {
	pid, parent int
	marked      bool
}

// members are the processes of the table that descend from the helper, or are
// marked, but for those that have ended and wait to be collected.
func (t *tree) members() []int {
	table := processes(t.mark)
	in := map[int]bool{t.cmd.Process.Pid: true}
	var pids []int
	for grown := true; grown; {
		grown = false
		for _, p := range table {
			if !in[p.pid] && (p.marked || in[p.parent]) {
				in[p.pid], grown = true, true
				pids = append(pids, p.pid)
			}
		}
	}
	return pids
}

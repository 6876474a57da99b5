package child

import "os/exec"

// tree is a helper with all that it starts, in a job object. What it leaves
// running after a good end lives on: the job has no limits.
type tree struct {
	cmd *exec.Cmd
	job job
}

func newTree(cmd *exec.Cmd) *tree { return &tree{cmd, newJob(0)} }

func (t *tree) start() error { return t.job.start(t.cmd) }

func (t *tree) end() error {
	t.job.end()
	return t.cmd.Process.Kill()
}

func (t *tree) close() { t.job.close() }

package child

import (
	"os/exec"

	"golang.org/x/sys/windows"
)

// tree is a helper with all that it starts, in a job object. What it leaves
// running after a good end lives on: the job has no limits.
type tree struct {
	cmd *exec.Cmd
	job windows.Handle // 0: none could be had
}

func newTree(cmd *exec.Cmd) *tree {
	job, _ := windows.CreateJobObject(nil, nil)
	return &tree{cmd, job}
}

// started puts the helper into the job. Without it the helper alone is ended.
func (t *tree) started() {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(t.cmd.Process.Pid))
	if err == nil {
		_ = windows.AssignProcessToJobObject(t.job, process)
		_ = windows.CloseHandle(process)
	}
}

func (t *tree) end() error {
	_ = windows.TerminateJobObject(t.job, 1)
	return t.cmd.Process.Kill()
}

func (t *tree) close() { _ = windows.CloseHandle(t.job) }

package child

import (
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// Prepare has a batch file run by cmd.exe with arguments that stay arguments.
// It leaves other programs alone.
func Prepare(cmd *exec.Cmd) error {
	if !isBatch(cmd.Path) {
		return nil
	}
	line, err := batchLine(cmd.Path, cmd.Args[1:])
	if err != nil {
		return err
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return err
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CmdLine = line
	cmd.Path = filepath.Join(system, "cmd.exe")
	return nil
}

// StartTied starts a command that ends, with all that it starts, when groat is
// killed; a process that breaks away on purpose is let go. Once the command
// has ended, free lets what it has left running live on.
func StartTied(cmd *exec.Cmd) (free func(), err error) {
	j := tied()
	if err := j.start(cmd); err != nil {
		j.close()
		return nil, err
	}
	return j.free, nil
}

func tied() job {
	return newJob(windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK)
}

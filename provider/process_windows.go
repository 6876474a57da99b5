package provider

import (
	"context"
	"os/exec"
	"syscall"
)

// Shell runs one line with cmd.exe, which is given it as it stands: Go's own
// quoting of arguments is not what cmd.exe undoes.
func Shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd /S /C "` + line + `"`}
	return cmd
}

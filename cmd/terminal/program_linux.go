package terminal

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent lets the kernel end the dialog when we are killed: nobody is
// left who would read its answer.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

// runLocked keeps the thread: the parent-death signal is sent when the
// thread that started the program ends, not only the process.
func runLocked(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

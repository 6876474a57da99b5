//go:build unix

package cmd

import (
	"os/exec"
	"syscall"
)

// detach takes the controlling terminal away, and makes the children of a
// client that is ended die with it.
func detach(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}

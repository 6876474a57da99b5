package cmd

import "syscall"

// dieWithParent has the kernel end the command when groat is killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}

package flight

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// sstop is SSTOP of sys/proc.h: "process debugging or suspension".
const sstop = 4

// stopped reports whether exactly that process is stopped (Ctrl-Z, SIGSTOP).
func stopped(pid int, started string) bool {
	if pid <= 0 {
		return false
	}
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	return err == nil && p.Proc.P_stat == sstop && startToken(p) == started
}

// startOf is a token for the process's start.
func startOf(pid int) string {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return ""
	}
	return startToken(p)
}

func startToken(p *unix.KinfoProc) string {
	return fmt.Sprintf("%d.%06d", p.Proc.P_starttime.Sec, p.Proc.P_starttime.Usec)
}

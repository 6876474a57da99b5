package child

import (
	"strings"

	"golang.org/x/sys/unix"
)

// processOf asks the kernel. Of another user's process it tells the name only.
func processOf(pid int) (c Caller, parent int, ok bool) {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return Caller{}, 0, false
	}
	c.Path, parent = unix.ByteSliceToString(p.Proc.P_comm[:]), int(p.Eproc.Ppid)
	// The number of arguments, the executable's path, NULs, the arguments.
	raw, err := unix.SysctlRaw("kern.procargs2", pid)
	if err != nil || len(raw) < 5 {
		return c, parent, true
	}
	path, rest, _ := strings.Cut(string(raw[4:]), "\x00")
	c.Path = path
	if args := strings.SplitN(strings.TrimLeft(rest, "\x00"), "\x00", 3); raw[0] > 1 && len(args) == 3 {
		c.args = args[1:2]
	}
	return c, parent, true
}

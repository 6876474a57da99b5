package child

import "golang.org/x/sys/unix"

// processes asks the kernel. It shows nobody's environment, so that what left
// its parent before the helper was given up is not found.
func processes(string) []process {
	const zombie = 5 // SZOMB, <sys/proc.h>
	var table []process
	all, _ := unix.SysctlKinfoProcSlice("kern.proc.all")
	for i := range all {
		if p := &all[i]; p.Proc.P_stat != zombie {
			table = append(table, process{pid: int(p.Proc.P_pid), parent: int(p.Eproc.Ppid)})
		}
	}
	return table
}

package child

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// processOf reads /proc. The executable of another user's process is not
// shown, but its name is.
func processOf(pid int) (c Caller, parent int, ok bool) {
	dir := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return Caller{}, 0, false
	}
	// "pid (name) state parent …", and the name may hold anything.
	begin, end := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
	fields := strings.Fields(string(stat[end+1:]))
	if begin < 0 || end < begin || len(fields) < 2 {
		return Caller{}, 0, false
	}
	if c.Path, err = os.Readlink(dir + "exe"); err != nil {
		c.Path = string(stat[begin+1 : end])
	}
	c.Path = strings.TrimSuffix(c.Path, " (deleted)")
	line, _ := os.ReadFile(dir + "cmdline")
	if args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"); len(args) > 1 {
		c.args = args[1:2]
	}
	parent, err = strconv.Atoi(fields[1])
	return c, parent, err == nil
}

package flight

import (
	"bytes"
	"os"
	"strconv"
)

// stopped reports whether exactly that process is stopped (Ctrl-Z, SIGSTOP).
// A process that cannot be seen (another PID namespace) is not. Tracing stops
// ("t") do not count: a debugger makes many.
func stopped(pid int, started string) bool {
	state, start := procStat(pid)
	return state == "T" && start == started
}

// startOf is a token for the process's start, in clock ticks since boot.
func startOf(pid int) string {
	_, start := procStat(pid)
	return start
}

// procStat reads state and start time, fields 3 and 22 of proc_pid_stat(5).
// The second field is the program's name in parentheses and may contain both
// blanks and parentheses.
func procStat(pid int) (state, start string) {
	if pid <= 0 {
		return "", ""
	}
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", ""
	}
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 20 {
		return "", ""
	}
	return string(fields[0]), string(fields[19])
}

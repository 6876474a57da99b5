package vault

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// noteHolder writes our process number into a lock file that we hold. It is
// advice: a missing one costs time. It is one short write in place, because a
// process stopped between taking the lock and its end is waited for; cutting
// the file first takes milliseconds on some file systems.
func noteHolder(path string) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(f, "%-19d\n", os.Getpid())
	_ = f.Close()
}

// holderStopped reports whether the process that a lock file names is stopped
// (state T, proc_pid_stat(5)): it keeps the lock, and answers nobody.
func holderStopped(path string) bool {
	noted, err := os.ReadFile(path)
	if err != nil || len(noted) > 20 {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(noted)))
	if err != nil || pid <= 0 {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && string(fields[0]) == "T"
}

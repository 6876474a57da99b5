package terminaltest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const getTermios = unix.TCGETS

// processes are the command lines of a session's living processes.
func processes(session int) []string {
	var found []string
	each(session, func(_ int, line string) { found = append(found, line) })
	return found
}

// Pids are the session's processes of one program.
func (s *Session) Pids(program string) []int {
	var found []int
	each(s.Cmd.Process.Pid, func(pid int, line string) {
		word, _, _ := strings.Cut(line, " ")
		if filepath.Base(word) == program {
			found = append(found, pid)
		}
	})
	return found
}

func each(session int, f func(pid int, line string)) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// proc(5): pid (comm) state ppid pgrp session …; comm may hold blanks.
		_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
		field := strings.Fields(rest)
		if len(field) > 3 && field[0] != "Z" && field[0] != "X" && field[3] == strconv.Itoa(session) {
			dir := filepath.Dir(path)
			line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			pid, _ := strconv.Atoi(filepath.Base(dir))
			f(pid, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
}

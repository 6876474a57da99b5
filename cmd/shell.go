package cmd

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// userShell is the shell for a subshell: $SHELL if it can be run, else what
// the password file says for the user, else the system's.
func userShell(getenv func(string) string) command {
	candidates := append([]string{getenv("SHELL"), loginShell("/etc/passwd", os.Getuid())}, systemShells(getenv)...)
	for _, c := range candidates {
		if c == "" || refusesLogin(c) {
			continue
		}
		if found, err := exec.LookPath(c); err == nil {
			return command{Path: found, Args: []string{c}}
		}
	}
	last := candidates[len(candidates)-1]
	return command{Path: last, Args: []string{last}}
}

// refusesLogin knows the "shells" of accounts that nobody logs in to.
func refusesLogin(shell string) bool {
	switch path.Base(filepath.ToSlash(shell)) {
	case "nologin", "false", "true", "sync":
		return true
	}
	return false
}

// loginShell is the seventh field of the user's line in passwd(5); "" if
// there is none, as on Windows and for users of a directory service.
func loginShell(passwd string, uid int) string {
	data, err := os.ReadFile(passwd)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) == 7 && f[2] == strconv.Itoa(uid) {
			return f[6]
		}
	}
	return ""
}

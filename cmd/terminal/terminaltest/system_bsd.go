//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package terminaltest

import "golang.org/x/sys/unix"

const getTermios = unix.TIOCGETA

// processes: there is no /proc to look into.
func processes(int) []string { return nil }

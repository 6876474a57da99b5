//go:build unix

package cmd

import (
	"sync"

	"golang.org/x/sys/unix"
)

// coreLimit is what the process was started with; exec gives it back to its
// child, whose core dumps are its own affair.
var coreLimit struct {
	once sync.Once
	was  unix.Rlimit
	err  error
}

// harden keeps keys out of core dumps and, on Linux, out of reach of other
// processes of the same user: no core limit, not dumpable. Both are best
// effort: an old kernel is no reason to refuse.
func harden() {
	coreLimit.once.Do(func() {
		coreLimit.err = unix.Getrlimit(unix.RLIMIT_CORE, &coreLimit.was)
		if coreLimit.err == nil {
			coreLimit.err = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: coreLimit.was.Max})
		}
		undumpable()
	})
}

// soften restores the core limit for a child that replaces this process
// (execve itself makes the child dumpable again).
func soften() {
	if coreLimit.err == nil {
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &coreLimit.was)
	}
}

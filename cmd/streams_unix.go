//go:build unix

package cmd

import (
	"os"

	"golang.org/x/sys/unix"
)

// standard gives a standard stream under another number. The Go runtime ends
// a program that writes to a broken pipe under the numbers 1 and 2; here such
// a write must be an error like any other: an answer that could not be
// delivered is a failure with a line. (signal.Notify would do the same and
// cost a thread; signal.Ignore would be inherited by children.) A stream that
// was closed is /dev/null by now: the Go runtime opens that in its place.
func standard(number uintptr, f *os.File) *os.File {
	// Not f.Fd(): it may change the mode of a file that others share.
	fd, err := unix.FcntlInt(number, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return f // no number is free
	}
	return os.NewFile(uintptr(fd), f.Name())
}

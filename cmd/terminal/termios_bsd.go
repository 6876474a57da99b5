//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package terminal

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const (
	getTermios   = unix.TIOCGETA
	setTermios   = unix.TIOCSETA
	disabledChar = 0xff // _POSIX_VDISABLE
)

func flushInput(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCFLUSH, 1) } // 1: FREAD

// waitReadable waits until a read would not block. It is select, because
// poll and kqueue refuse /dev/tty on macOS; a vanished terminal reads as ready.
func waitReadable(fd int, d time.Duration) (ready, hup bool, err error) {
	if fd >= unix.FD_SETSIZE {
		return false, false, errors.New("too many open files")
	}
	var set unix.FdSet
	set.Set(fd)
	tv := unix.NsecToTimeval(d.Nanoseconds())
	n, err := unix.Select(fd+1, &set, nil, nil, &tv)
	if errors.Is(err, unix.EINTR) {
		return false, false, nil
	}
	return n > 0, false, err
}

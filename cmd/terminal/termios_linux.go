package terminal

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const (
	getTermios   = unix.TCGETS
	setTermios   = unix.TCSETS
	disabledChar = 0 // _POSIX_VDISABLE
)

func flushInput(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) }

// waitReadable waits until a read would not block; hup: the terminal is gone.
func waitReadable(fd int, d time.Duration) (ready, hup bool, err error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	_, err = unix.Poll(p, int(d/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return false, false, nil
	}
	return p[0].Revents&unix.POLLIN != 0, p[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0, err
}

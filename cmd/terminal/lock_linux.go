package terminal

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// terminalLock lets one process of a foreground group ask at a time: of two
// that read a terminal at once (two providers of one terraform run, each with
// a device of its own), the code typed for one would go to the other.
//
// It is an open-file-description lock on the byte of the terminal's inode
// that has the group's number, so that the OS frees it when the holder dies,
// and a stopped job never hinders the next one.
type terminalLock struct {
	fd   int
	held bool
}

// tryAcquire reports whether this process may ask. Where the lock cannot be
// had at all (the terminal belongs to another user, after su) it may.
func (l *terminalLock) tryAcquire(tty int) (bool, error) {
	if l.held {
		return true, nil
	}
	if l.fd <= 0 {
		fd, err := openByDevice(tty)
		if err != nil {
			return true, nil //nolint:nilerr // asking without the lock is better than not asking
		}
		l.fd = fd
	}
	err := unix.FcntlFlock(uintptr(l.fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Start: int64(unix.Getpgrp()), Len: 1})
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return false, nil
	case err != nil:
		return true, nil
	}
	l.held = true
	return true, nil
}

// noticeByte is the byte of the terminal's inode under which a notice stands;
// those before it are the groups' (a process number is below 1<<22).
const noticeByte = 1 << 30

// tryNotice reports whether a notice may be shown: no process, of whichever
// job, asks on this terminal or shows one. The lock is held until release.
func (l *terminalLock) tryNotice(tty int) bool {
	fd, err := openByDevice(tty)
	if err != nil {
		return true
	}
	l.fd = fd
	questions := unix.Flock_t{Type: unix.F_WRLCK, Len: noticeByte}
	if err := unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &questions); err == nil && questions.Type != unix.F_UNLCK {
		return false
	}
	err = unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK, Start: noticeByte, Len: 1})
	return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES)
}

func (l *terminalLock) release() {
	if l.fd > 0 {
		_ = unix.Close(l.fd)
	}
	l.fd, l.held = 0, false
}

// openByDevice opens the terminal that /dev/tty stands for by its own name:
// the inode of /dev/tty is shared by every terminal of the machine.
func openByDevice(tty int) (int, error) {
	n, err := unix.IoctlGetUint32(tty, unix.TIOCGDEV)
	if err != nil {
		return 0, err
	}
	dev := uint64(n>>8&0xfff)<<8 | uint64(n&0xff) | uint64(n>>12&0xfff00)<<12 // new_encode_dev of the kernel
	major, minor := unix.Major(dev), unix.Minor(dev)
	path := fmt.Sprintf("/dev/tty%d", minor)
	if major >= 136 && major <= 143 {
		path = fmt.Sprintf("/dev/pts/%d", (major-136)<<20+minor)
	} else if major != 4 {
		return 0, errors.New("unusual terminal")
	}
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || unix.Major(st.Rdev) != major || unix.Minor(st.Rdev) != minor {
		_ = unix.Close(fd)
		return 0, errors.New("another terminal of that name")
	}
	return fd, nil
}

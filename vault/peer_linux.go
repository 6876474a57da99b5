package vault

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// peerUID is the user at the other end of a local socket (SO_PEERCRED, unix(7)).
func peerUID(fd int) (int, error) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(c.Uid), nil
}

// maxSocketPath is how long a socket's path may be, with its final zero, in
// bytes (unix(7)).
const maxSocketPath = 108

// socketPath is path, or where that is too long for a socket, one that leads
// there by a descriptor of its folder, until done.
func socketPath(path string) (short string, done func()) {
	if len(path) < maxSocketPath {
		return path, func() {}
	}
	fd, err := unix.Open(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return path, func() {}
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", fd, filepath.Base(path)), func() { _ = unix.Close(fd) }
}

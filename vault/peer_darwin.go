package vault

import "golang.org/x/sys/unix"

// peerUID is the user at the other end of a local socket (LOCAL_PEERCRED, unix(4)).
func peerUID(fd int) (int, error) {
	c, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(c.Uid), nil
}

// socketPath: a path that is too long for a socket has no short form here, and
// processes derive the key in turn.
func socketPath(path string) (short string, done func()) { return path, func() {} }

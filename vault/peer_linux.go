package vault

import "golang.org/x/sys/unix"

// peerUID is the user at the other end of a local socket (SO_PEERCRED, unix(7)).
func peerUID(fd int) (int, error) {
	c, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(c.Uid), nil
}

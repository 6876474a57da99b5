//go:build unix

package loopback

import "syscall"

// otherUser runs a child as nobody.
func otherUser() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
}

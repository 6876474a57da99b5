package loopback

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// peers asks the kernel whose connections are. Its socket is open from the
// start: a stranger can use up descriptors, and must not get by for it.
type peers struct {
	fd       int
	sequence uint32
}

// Sizes of the kernel's structures; see sock_diag(7).
const (
	netlinkHeader    = 16
	diagRequest      = 56 // struct inet_diag_req_v2
	diagRequestID    = 8  // its struct inet_diag_sockid
	diagMessageUID   = 64 // idiag_uid in struct inet_diag_msg
	diagMessageInode = 68 // idiag_inode
	diagMessage      = 72
)

func openPeers() (*peers, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("could not open a socket for sock_diag: %w", err)
	}
	// The kernel answers at once; this is for one that does not.
	limit := unix.Timeval{Sec: 1}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	return &peers{fd: fd}, nil
}

func (p *peers) close() { _ = unix.Close(p.fd) }

// owner is the user whose TCP socket is bound to local and connected to
// remote (both IPv4); ok is false where the kernel does not say, or where no
// process has that socket any more: the kernel then says 0, as for root.
func (p *peers) owner(local, remote netip.AddrPort) (uid int, ok bool) {
	if !local.Addr().Is4() || !remote.Addr().Is4() {
		return 0, false
	}
	p.sequence++
	if unix.Sendto(p.fd, ownerRequest(p.sequence, local, remote), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return 0, false
	}
	native := binary.NativeEndian
	answer := make([]byte, 4096)
	for {
		n, from, err := unix.Recvfrom(p.fd, answer, 0)
		if err != nil || n < netlinkHeader {
			return 0, false
		}
		if kernel, is := from.(*unix.SockaddrNetlink); !is || kernel.Pid != 0 || native.Uint32(answer[8:]) != p.sequence {
			continue // late, to a question before
		}
		message := answer[netlinkHeader:n]
		if native.Uint16(answer[4:]) != unix.SOCK_DIAG_BY_FAMILY || len(message) < diagMessage || native.Uint32(message[diagMessageInode:]) == 0 {
			return 0, false
		}
		return int(native.Uint32(message[diagMessageUID:])), true
	}
}

func ownerRequest(sequence uint32, local, remote netip.AddrPort) []byte {
	m := make([]byte, netlinkHeader+diagRequest)
	native := binary.NativeEndian
	native.PutUint32(m, uint32(len(m)))
	native.PutUint16(m[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(m[6:], unix.NLM_F_REQUEST)
	native.PutUint32(m[8:], sequence)
	r := m[netlinkHeader:]
	r[0], r[1] = unix.AF_INET, unix.IPPROTO_TCP
	native.PutUint32(r[4:], 0xffffffff) // in any state
	id := r[diagRequestID:]
	binary.BigEndian.PutUint16(id, local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	src, dst := local.Addr().As4(), remote.Addr().As4()
	copy(id[4:], src[:])
	copy(id[20:], dst[:])
	native.PutUint64(id[40:], ^uint64(0)) // no cookie
	return m
}

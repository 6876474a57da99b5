package cmd

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Sizes of the kernel's structures; see sock_diag(7).
const (
	netlinkHeader  = 16
	diagRequest    = 56 // struct inet_diag_req_v2
	diagRequestID  = 8  // its struct inet_diag_sockid
	diagMessageUID = 64 // idiag_uid in struct inet_diag_msg
)

// socketOwner asks the kernel whose the TCP socket is that is bound to local
// and connected to remote (both IPv4); ok is false where it does not say.
func socketOwner(local, remote netip.AddrPort) (uid int, ok bool) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_INET_DIAG)
	if err != nil {
		return 0, false
	}
	defer func() { _ = unix.Close(fd) }()
	limit := unix.Timeval{Sec: 1}
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)
	if unix.Sendto(fd, ownerRequest(local, remote), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}) != nil {
		return 0, false
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil || n < netlinkHeader+diagMessageUID+4 ||
		binary.NativeEndian.Uint16(answer[4:]) != unix.SOCK_DIAG_BY_FAMILY {
		return 0, false
	}
	return int(binary.NativeEndian.Uint32(answer[netlinkHeader+diagMessageUID:])), true
}

func ownerRequest(local, remote netip.AddrPort) []byte {
	m := make([]byte, netlinkHeader+diagRequest)
	native := binary.NativeEndian
	native.PutUint32(m, uint32(len(m)))
	native.PutUint16(m[4:], unix.SOCK_DIAG_BY_FAMILY)
	native.PutUint16(m[6:], unix.NLM_F_REQUEST)
	r := m[netlinkHeader:]
	r[0], r[1] = unix.AF_INET, unix.IPPROTO_TCP
	native.PutUint32(r[4:], 0xffffffff) // in any state
	id := r[diagRequestID:]
	binary.BigEndian.PutUint16(id, local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	src, dst := local.Addr().Unmap().As4(), remote.Addr().Unmap().As4()
	copy(id[4:], src[:])
	copy(id[20:], dst[:])
	native.PutUint64(id[40:], ^uint64(0)) // no cookie
	return m
}

//go:build !linux

package loopback

import "net/netip"

// peers tells nothing where the system does not.
type peers struct{}

func openPeers() (*peers, error) { return nil, nil }

func (*peers) owner(_, _ netip.AddrPort) (uid int, ok bool) { return 0, false }

func (*peers) close() {}

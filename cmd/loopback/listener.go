package loopback

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
)

// Connections that are served at a time, of this user (and root) and of all
// others together. A held one costs memory and a descriptor, which renewing
// needs too; and nobody else may take what is this user's.
const (
	maxOwn    = 128
	maxOthers = 32
)

// ErrUnknownUsers means that the system does not tell whose connections are,
// where it should.
var ErrUnknownUsers = errors.New("the system does not tell which user a connection comes from")

// limited is a listener that looks once, before anything is read, who is at
// the other end of a connection. A loopback port is open to every user of the
// machine.
type limited struct {
	net.Listener
	peers       *peers // nil: they are not told apart, and all count as own
	own, others chan struct{}
	closed      chan struct{}
	once        sync.Once
}

// limit takes the listener over. Where the system tells users apart (only
// Linux does), it must do so from the start if others are not to be served.
func limit(l net.Listener, anyUser bool) (*limited, error) {
	p, err := openPeers()
	if err != nil && !anyUser {
		_ = l.Close()
		return nil, errors.Join(ErrUnknownUsers, err)
	}
	m := &limited{Listener: l, peers: p, own: make(chan struct{}, maxOwn), closed: make(chan struct{})}
	if anyUser {
		m.others = make(chan struct{}, maxOthers)
	}
	return m, nil
}

// Accept closes connections of others unless they have room of their own;
// this user's wait for room.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.isOwn(c) {
			select {
			case l.own <- struct{}{}:
				return &counted{Conn: c, room: l.own}, nil
			case <-l.closed:
				_ = c.Close()
				return nil, net.ErrClosed
			}
		}
		select {
		case l.others <- struct{}{}: // never, if others are not served
			return &counted{Conn: c, room: l.others}, nil
		default:
			_ = c.Close()
		}
	}
}

// isOwn reports whether the other end is this user's or root's. What cannot
// be found out is somebody else's.
func (l *limited) isOwn(c net.Conn) bool {
	if l.peers == nil {
		return true
	}
	uid, ok := l.peers.owner(addrPort(c.RemoteAddr()), addrPort(c.LocalAddr()))
	return ok && (uid == os.Getuid() || uid == 0)
}

func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(tcp.AddrPort().Addr().Unmap(), tcp.AddrPort().Port())
}

// Close ends Accept as well. The socket of peers is closed by release, once
// Accept is not running any more: one goroutine uses it, without a lock.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

func (l *limited) release() {
	if l.peers != nil {
		l.peers.close()
	}
}

// counted gives its room back when it is closed.
type counted struct {
	net.Conn
	room chan struct{}
	once sync.Once
}

// Close closes the connection.
func (c *counted) Close() error {
	c.once.Do(func() { <-c.room })
	return c.Conn.Close()
}

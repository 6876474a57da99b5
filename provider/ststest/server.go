package ststest

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure a server. The zero value is a good default.
type Options struct {
	// Now is the server's clock; nil means time.Now. Expiry, clock skew and
	// token codes are judged by it.
	Now func() time.Time
	// TLS serves HTTPS with certificates of the server's own authority, one
	// for each name a client asks for; see Server.CAFile.
	TLS bool
	// Partition is used in the ARNs of users: "aws" by default.
	Partition string
	// Region is what the instance metadata service says: "eu-west-1" by default.
	Region string
	// PageSize makes IAM answer lists in pages of at most this many.
	PageSize int
	// Addr is the address to listen on: "127.0.0.1:0" by default.
	Addr string
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is the double. All its methods are safe for concurrent use.
type Server struct {
	// URL is the endpoint of every service, without a trailing slash.
	URL string

	opts           Options
	mu             sync.Mutex // guards everything below but the atomics
	users          map[string]*User
	keys           map[string]*AccessKey
	sessions       map[string]*session
	roles          map[string]*Role
	devices        map[string]*Device
	providers      map[string][]byte // web identity issuer → HMAC key of its tokens
	faults         []*Fault
	calls          []Call
	hook           func(Call)
	skew           time.Duration
	roleCap        time.Duration
	keyDelay       []bool                  // of the calls with a new key: whether it is unknown
	outlive        bool                    // sessions live on without their key
	reports        map[string]*reportState // by account
	sso            ssoState
	login          loginState
	signin         map[string]*signinToken
	signinSessions bool
	imds           imdsState
	container      containerState

	conns   atomic.Int64
	stop    chan struct{}
	closing sync.Once
	ln      net.Listener
	tunnel  *tunnel
	http    *http.Server
	ca      *authority
	caFile  string
}

// New makes a server that does not listen yet.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Region == "" {
		o.Region = "eu-west-1"
	}
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	s := &Server{
		opts: o, stop: make(chan struct{}),
		users: map[string]*User{}, keys: map[string]*AccessKey{}, sessions: map[string]*session{},
		roles: map[string]*Role{}, devices: map[string]*Device{}, providers: map[string][]byte{},
		signin: map[string]*signinToken{}, reports: map[string]*reportState{},
	}
	s.sso.reset()
	s.login = newLoginState()
	return s
}

// Start makes a server, starts it and ends it with the test.
func Start(t TB, o Options) *Server {
	t.Helper()
	s := New(o)
	if err := s.Start(); err != nil {
		t.Fatalf("could not start the AWS double: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start listens and serves until Close.
func (s *Server) Start() error {
	ln, err := net.Listen("tcp", s.opts.Addr)
	if err != nil {
		return fmt.Errorf("could not listen: %w", err)
	}
	s.ln = ln
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveHTTP),
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, 0),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, s.conns.Add(1))
		},
	}
	scheme, serving := "http", ln
	if s.opts.TLS {
		if s.ca, err = newAuthority(); err != nil {
			_ = ln.Close()
			return err
		}
		scheme = "https"
		serving = tls.NewListener(ln, s.ca.config())
	}
	s.URL = scheme + "://" + ln.Addr().String()
	go func() { _ = s.http.Serve(serving) }()
	return nil
}

// Close ends the server and everybody who waits for it.
func (s *Server) Close() {
	s.closing.Do(func() {
		close(s.stop)
		if s.tunnel != nil {
			_ = s.tunnel.Close()
		}
		if s.http != nil {
			_ = s.http.Close()
		}
		if s.caFile != "" {
			_ = os.Remove(s.caFile)
		}
	})
}

// Reset forgets calls, faults, the hook, the clock skew, the cap and all temporary
// credentials; users, keys, devices (with the codes they have used) and roles
// stay.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.faults, s.hook, s.skew, s.roleCap = nil, nil, nil, 0, 0
	s.sessions = map[string]*session{}
	s.conns.Store(0)
}

// SetSkew moves the server's clock away from everybody else's: its Date
// header, its expiries and its judgement of signatures all follow.
func (s *Server) SetSkew(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skew = d
}

// now is the server's time, in UTC; the caller holds mu.
func (s *Server) now() time.Time { return s.opts.Now().Add(s.skew).UTC() }

type connKey struct{}

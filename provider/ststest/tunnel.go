package ststest

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
)

// tunnel is a listener whose connections are those that were handed to it.
type tunnel struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
	addr  net.Addr
}

func (t *tunnel) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.done:
		return nil, net.ErrClosed
	}
}

func (t *tunnel) Close() error { t.once.Do(func() { close(t.done) }); return nil }

func (t *tunnel) Addr() net.Addr { return t.addr }

// Proxy starts a forward proxy on loopback whose every CONNECT ends at this
// server, whatever host was asked for. With Options.TLS a client that trusts
// CAFile and uses the proxy (HTTPS_PROXY) reaches the double under AWS's real
// host names, which Call.Host then shows. It ends with the server.
func (s *Server) Proxy() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	t := &tunnel{conns: make(chan net.Conn), done: make(chan struct{}), addr: ln.Addr()}
	s.mu.Lock()
	s.tunnel = t
	s.mu.Unlock()
	var inner net.Listener = t
	if s.ca != nil {
		inner = tls.NewListener(t, s.ca.config())
	}
	go func() { _ = s.http.Serve(inner) }()
	proxy := &http.Server{ReadHeaderTimeout: s.http.ReadHeaderTimeout, ErrorLog: s.http.ErrorLog,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodConnect { // plain http through a proxy
				s.serveHTTP(w, r)
				return
			}
			h, ok := w.(http.Hijacker)
			if !ok {
				return
			}
			conn, _, err := h.Hijack()
			if err != nil {
				return
			}
			if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
				_ = conn.Close()
				return
			}
			select {
			case t.conns <- conn:
			case <-t.done:
				_ = conn.Close()
			}
		})}
	go func() { _ = proxy.Serve(ln) }()
	go func() { <-s.stop; _ = proxy.Close() }()
	return "http://" + ln.Addr().String(), nil
}

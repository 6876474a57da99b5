// Package loopback serves this machine's own programs over HTTP on 127.0.0.1:
// credentials as ECS and EC2 hand them out, kept fresh, and pages that are
// shown once.
package loopback

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"time"

	"groat/session"
)

// Source has the credentials for a request. It ends soon after the request's
// context does and asks nobody anything. The text of its error is for the
// client's user.
type Source func(ctx context.Context) (session.Credentials, error)

// Server serves on a loopback port until it is stopped.
type Server struct {
	Addr string // host:port, exactly what clients must put into Host
	http *http.Server
	done chan struct{}
}

// Options say where a server listens and whom it serves.
type Options struct {
	Port int // 0: a random one
	// AnyUser serves the processes of other users too: there is a secret that
	// they would have to know.
	AnyUser bool
	// Handler is made for the address.
	Handler func(addr string) http.Handler
}

// Limits of a request: credentials take a dozen headers and no body.
const (
	maxHeaderBytes = 16 << 10
	readTimeout    = 5 * time.Second
	writeTimeout   = maxWait + 10*time.Second
	// idleTimeout is short: connections are few, and a new one costs nothing.
	idleTimeout = 5 * time.Second
	stopTimeout = 200 * time.Millisecond
)

// Listen listens on 127.0.0.1 and serves. The port is open when it returns.
func Listen(ctx context.Context, o Options) (*Server, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("could not listen on a loopback port: %w", err)
	}
	limited, err := limit(l, o.AnyUser)
	if err != nil {
		return nil, err
	}
	s := &Server{Addr: l.Addr().String(), done: make(chan struct{})}
	s.http = &http.Server{
		Handler:           o.Handler(s.Addr),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0), // it would repeat a client's bytes on our stderr
	}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(limited)
		limited.release()
	}()
	return s, nil
}

// Stop ends the server; requests under way get a moment to finish.
func (s *Server) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close()
	}
	<-s.done
}

// guard turns away what no AWS SDK sends: another Host (a name that was made
// to resolve to loopback), an Origin (a web page), and any request that asks
// for more than a document.
func guard(addr string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		switch {
		case r.Host != addr:
			refuse(w, http.StatusForbidden, "AccessDenied", "unexpected Host")
		case len(r.Header["Origin"]) > 0 || r.Header.Get("Sec-Fetch-Mode") != "":
			refuse(w, http.StatusForbidden, "AccessDenied", "browsers are not served")
		case r.ContentLength > 0 || len(r.TransferEncoding) > 0:
			refuse(w, http.StatusBadRequest, "BadRequest", "no body is expected")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// refuse answers in the form that the SDKs show to their users. The
// connection ends with it: there are only so many.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
}

// NewToken is 256 random bits, safe in a header and in a URL.
func NewToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// sameSecret compares in constant time; hashing first hides the length too.
func sameSecret(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// refuseCredentials tells a client what its user should do. 503: SDKs try
// again, by when a person may have answered.
func refuseCredentials(w http.ResponseWriter, err error) {
	refuse(w, http.StatusServiceUnavailable, "CredentialsNotAvailable", err.Error())
}

// writeDocument writes one JSON document with its length, in one write.
func writeDocument(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError", "could not encode the answer")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

// expiration is how the documents have it: in UTC, with whole seconds.
func expiration(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

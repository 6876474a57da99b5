package provider

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"time"

	"groat/provider/profile"
	"groat/vault/fault"
)

const (
	callbackPath   = "/oauth/callback"
	browserTimeout = 10 * time.Minute
)

// errNoLoopback: no port could be had for the browser's answer.
var errNoLoopback = errors.New("no loopback port for the browser's answer")

// browserCode sends the person's browser to an address and waits for the
// authorization code that it brings back to a loopback port (RFC 6749, RFC
// 8252). address makes the link to begin with.
func (m *Minter) browserCode(ctx context.Context, req SignInRequest, address func(redirect, state string) (string, error)) (code, redirect string, err error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errNoLoopback, err)
	}
	callback := newCallback(listener, randomWord())
	defer callback.close()
	redirect = "http://" + listener.Addr().String() + callbackPath
	if req.URL, err = address(redirect, callback.state); err != nil {
		return "", "", err
	}
	req.Expires = m.now().Add(browserTimeout)
	waiting, cancel := context.WithTimeout(ctx, browserTimeout)
	defer cancel()
	if err := m.SignIn.Show(ctx, req); err != nil {
		return "", "", err
	}
	select {
	case a := <-callback.answer:
		if a.code == "" {
			return "", "", denied(req, a.refused)
		}
		return a.code, redirect, nil
	case <-waiting.Done():
	}
	if ctx.Err() != nil {
		return "", "", gaveUp(req, context.Cause(ctx))
	}
	return "", "", tooSlow(req)
}

// randomWord is a secret of at least 256 bits that a URL takes as it is.
func randomWord() string { return rand.Text() + rand.Text() }

// challengeOf is the PKCE challenge of a verifier (RFC 7636).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkSignInURL keeps anything but a web address from the browser's command line.
func checkSignInURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && (u.Scheme != "http" || isPlainRemote(s))) || u.Host == "" {
		return fault.New("the sign-in address is not one of https", "", profile.ErrUnsupported)
	}
	return nil
}

// sameState compares what came back with what was sent, in constant time.
func sameState(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// callback is the loopback server for the browser's one answer.
type callback struct {
	server *http.Server
	host   string
	state  string
	answer chan callbackAnswer
}

// callbackAnswer is a code, or the service's word for there being none.
type callbackAnswer struct{ code, refused string }

func newCallback(l net.Listener, state string) *callback {
	c := &callback{host: l.Addr().String(), state: state, answer: make(chan callbackAnswer, 1)}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = c.server.Serve(l) }()
	return c
}

// close lets the page that is being answered be finished.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.server.Shutdown(ctx)
	_ = c.server.Close()
}

// ServeHTTP takes the first answer that bears the state; any other request is
// refused and changes nothing.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.Method != http.MethodGet || r.URL.Path != callbackPath || r.Host != c.host || !sameState(query.Get("state"), c.state) {
		http.Error(w, "not here", http.StatusNotFound)
		return
	}
	a := callbackAnswer{code: query.Get("code"), refused: query.Get("error")}
	page := "You are signed in. This window can be closed.\n"
	if a.code == "" {
		page = "The sign-in was denied. This window can be closed.\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = io.WriteString(w, page)
	select {
	case c.answer <- a:
	default: // answered already
	}
}

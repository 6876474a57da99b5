package loopback

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
)

// Callback takes what a browser brings back from a sign-in, once (RFC 8252,
// section 7.3).
type Callback struct {
	URL    string            // the redirect URI
	Answer <-chan url.Values // the query of the first request that bears the state
	server *Server
}

// OpenCallback serves a page of this path for this user's browser until it is
// closed.
func OpenCallback(ctx context.Context, path, state string) (*Callback, error) {
	answer := make(chan url.Values, 1)
	s, err := Listen(ctx, Options{Handler: func(addr string) http.Handler {
		return &callbackPage{addr: addr, path: path, state: state, answer: answer}
	}})
	if err != nil {
		return nil, err
	}
	return &Callback{URL: "http://" + s.Addr + path, Answer: answer, server: s}, nil
}

// Close stops serving, once the page that is being answered is finished.
func (c *Callback) Close() { c.server.Stop() }

type callbackPage struct {
	addr, path, state string
	once              sync.Once
	answer            chan<- url.Values
}

// ServeHTTP takes the first answer that bears the state; any other request is
// refused and changes nothing.
func (p *callbackPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	query := r.URL.Query()
	if r.Host != p.addr || r.URL.Path != p.path || r.Method != http.MethodGet || !sameSecret(query.Get("state"), p.state) {
		http.NotFound(w, r)
		return
	}
	page := "You are signed in. This window can be closed.\n"
	if query.Get("code") == "" {
		page = "The sign-in was denied. This window can be closed.\n"
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, page)
	p.once.Do(func() { p.answer <- query })
}

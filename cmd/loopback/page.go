package loopback

import (
	"context"
	"net/http"
	"sync"
)

// Page leads a browser to a link, once. The link is a secret: the page's own
// address, which is not, is unguessable and good for one visit.
type Page struct {
	URL     string
	Visited <-chan struct{} // closed when the browser has been there
	server  *Server
}

// OpenPage serves a page for this user's browser until it is closed.
func OpenPage(ctx context.Context, link string) (*Page, error) {
	visited := make(chan struct{})
	path := "/" + NewToken()
	s, err := Listen(ctx, Options{Handler: func(addr string) http.Handler {
		return &oncePage{addr: addr, path: path, link: link, visited: visited}
	}})
	if err != nil {
		return nil, err
	}
	return &Page{URL: "http://" + s.Addr + path, Visited: visited, server: s}, nil
}

// Close stops serving.
func (p *Page) Close() { p.server.Stop() }

type oncePage struct {
	addr, path, link string
	once             sync.Once
	visited          chan struct{}
}

// ServeHTTP answers the browser's navigation and nothing else: not a page
// that embeds or links to this one, not a second request.
func (p *oncePage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Host != p.addr || r.URL.Path != p.path || r.Method != http.MethodGet || r.Header.Get("Origin") != "" || site != "" && site != "none" {
		http.NotFound(w, r)
		return
	}
	first := false
	p.once.Do(func() { first = true })
	if !first {
		http.Error(w, "this page has been used", http.StatusGone)
		return
	}
	h.Set("Location", p.link)
	w.WriteHeader(http.StatusSeeOther)
	close(p.visited)
}

package cmd

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cli/browser"

	"groat/cmd/child"
)

// openTimeout bounds the wait for the browser to come for the link.
const openTimeout = time.Minute

// openPrivately opens a link that is a secret. The command line of a browser
// can be read by every user of the machine, and a file would stay behind:
// the browser is therefore given the address of a page on loopback, with an
// unguessable path, that leads to the link once.
func openPrivately(ctx context.Context, a *app, link string) error {
	page := &oncePage{path: "/" + newToken(), link: link, fetched: make(chan struct{})}
	server, err := listenLocal(ctx, 0, func(addr string) http.Handler { page.addr = addr; return onlyOwnUser(page) })
	if err != nil {
		return err
	}
	defer server.stop()
	browserEnvironment(a.environ)
	browser.Stdout, browser.Stderr = a.streams.Err, a.streams.Err
	opened := make(chan error, 1)
	go func() { opened <- browser.OpenURL("http://" + server.Addr + page.path) }()
	timeout := time.NewTimer(openTimeout)
	defer timeout.Stop()
	for {
		select {
		case <-page.fetched:
			return nil
		case err := <-opened:
			if err != nil {
				return &sayError{msg: "could not open a browser: " + plainReason(err).Error(), hint: "print the link instead: groat login --stdout"}
			}
			opened = nil // it has started one, which comes for the page
		case <-timeout.C:
			return &sayError{msg: "the browser did not come for the link", hint: "print the link instead: groat login --stdout"}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// browserEnvironment makes the process's own environment fit for a browser,
// which the opener inherits: the session bus is there again, the passphrase
// and the caller's credentials are not. Nothing runs here but the opener.
func browserEnvironment(environ []string) {
	os.Clearenv()
	for _, entry := range child.Clean(environ) {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			_ = os.Setenv(name, value)
		}
	}
}

// oncePage leads to a link, once.
type oncePage struct {
	addr, path, link string
	once             sync.Once
	fetched          chan struct{}
}

var errUsed = errors.New("this page has been used")

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
		http.Error(w, errUsed.Error(), http.StatusGone)
		return
	}
	h.Set("Location", p.link)
	w.WriteHeader(http.StatusSeeOther)
	close(p.fetched)
}

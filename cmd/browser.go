package cmd

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/cli/browser"

	"groat/cmd/child"
	"groat/cmd/loopback"
	"groat/vault/fault"
)

// openTimeout bounds the wait for the browser to come for the link.
const openTimeout = time.Minute

// openPrivately opens a link that is a secret. The command line of a browser
// can be read by every user of the machine, and a file would stay behind:
// the browser is therefore given the address of a page on loopback, with an
// unguessable path, that leads to the link once.
func openPrivately(ctx context.Context, e environment, o *output, link string) error {
	page, err := loopback.OpenPage(ctx, link)
	if err != nil {
		return err
	}
	defer page.Close()
	browserEnvironment(e.environ)
	browser.Stdout, browser.Stderr = o.streams.Err, o.streams.Err
	opened := make(chan error, 1)
	go func() { opened <- browser.OpenURL(page.URL) }()
	timeout := time.NewTimer(openTimeout)
	defer timeout.Stop()
	for {
		select {
		case <-page.Visited:
			return nil
		case err := <-opened:
			if err != nil {
				return fault.New("could not open a browser: "+plainReason(err).Error(), "print the link instead: groat login --stdout", nil)
			}
			opened = nil // it has started one, which comes for the page
		case <-timeout.C:
			return fault.New("the browser did not fetch the link", "print the link instead: groat login --stdout", nil)
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

package cmd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"groat/provider"
	"groat/session"
)

// refresher keeps the credentials of a server fresh in the background, so
// that a request is answered at once and nobody is asked while one waits.
type refresher struct {
	// Quiet mints without asking anybody; where a token code is needed its
	// error wraps provider.ErrNoCode.
	Quiet func(context.Context) (session.Credentials, error)
	// Ask mints and may ask. Announce is told before why a question follows.
	Ask      func(context.Context) (session.Credentials, error)
	Announce func(msg string)
	Now      func() time.Time
	// Sleep waits; it returns early with the context's error.
	Sleep func(context.Context, time.Duration) error

	mu     sync.Mutex
	creds  session.Credentials
	failed error // why the last renewal failed; nil when it did not
}

// The moments before expiry at which a renewal is tried. SDKs want new
// credentials 20 min before (botocore from instance metadata), 15 min before
// (botocore), 5 min before (JavaScript) or at the end (Go); the cache decides
// at each which of them are worth a call. The second is there because to the
// cache an hour's credentials are fresh until a third is left, and the hour
// began a moment before the credentials came.
var renewals = []time.Duration{
	metadataMinTTL, 19*time.Minute + 30*time.Second, 15 * time.Minute, 5 * time.Minute, 30 * time.Second, 0,
}

// metadataMinTTL is what credentials from instance metadata have left at
// least, where renewing asks nobody. botocore takes those that have less than
// 10 min, and up to 10 min of chance more, for a sign of trouble at EC2: it
// makes their expiry up, and goes on to use them when they have ended.
const metadataMinTTL = 20 * time.Minute

const (
	// askBefore: where a code is needed, a person is asked this long before expiry.
	askBefore = 5 * time.Minute
	// A failed renewal is tried again after retryFirst, then twice as long
	// each time up to retryMost: no busy loop when the network is down.
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
	// askAgain: after an unanswered question, the next one comes no sooner.
	askAgain = 15 * time.Minute
	// clockCheck is how often a wait looks at the clock.
	clockCheck = 30 * time.Second
)

// current is the credentialSource of the servers.
func (r *refresher) current() (session.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.creds.Expiration.IsZero() {
		// botocore reads no answer without an expiration: it may come back then.
		c := r.creds
		c.Expiration = r.Now().Add(time.Hour)
		return c, nil
	}
	if r.Now().Before(r.creds.Expiration) {
		return r.creds, nil
	}
	if r.failed != nil {
		return session.Credentials{}, r.failed
	}
	return session.Credentials{}, errors.New("the credentials have expired and are being renewed")
}

// run renews until the context ends, starting from credentials that were
// minted before the server was opened.
func (r *refresher) run(ctx context.Context, first session.Credentials) {
	r.set(first, nil)
	if first.Expiration.IsZero() {
		return // they never expire
	}
	var asked time.Time // when a question went unanswered
	wait, retry := untilRenewal(first.Expiration, r.Now()), retryFirst
	for r.sleepFor(ctx, wait) == nil {
		had := r.expiration()
		creds, err := r.renew(ctx, had, &asked)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.set(session.Credentials{}, err)
			wait, retry = retry, min(2*retry, retryMost)
		default:
			r.set(creds, nil)
			wait, retry = untilRenewal(creds.Expiration, r.Now()), retryFirst
		}
	}
}

// sleepFor waits by the clock on the wall: a timer stands still while the
// machine sleeps, and credentials do not.
func (r *refresher) sleepFor(ctx context.Context, wait time.Duration) error {
	until := r.Now().Round(0).Add(wait)
	for {
		left := until.Sub(r.Now().Round(0))
		if left <= 0 {
			return ctx.Err()
		}
		if err := r.Sleep(ctx, min(left, clockCheck)); err != nil {
			return err
		}
	}
}

// renew mints quietly, and asks only when it must and may.
func (r *refresher) renew(ctx context.Context, expiration time.Time, asked *time.Time) (session.Credentials, error) {
	creds, err := r.Quiet(ctx)
	if !errors.Is(err, provider.ErrNoCode) || r.Ask == nil {
		return creds, err
	}
	left := expiration.Sub(r.Now())
	if left > askBefore || !asked.IsZero() && r.Now().Sub(*asked) < askAgain {
		return creds, err
	}
	*asked = r.Now()
	r.Announce(fmt.Sprintf("the credentials expire in %s; a token code renews them", shortDuration(max(left, 0))))
	creds, err = r.Ask(ctx)
	switch {
	case err == nil:
		*asked = time.Time{}
	case ctx.Err() == nil: // in a subshell, say, the question finds the terminal taken
		r.Announce(withHint(err))
	}
	return creds, err
}

// set stores new credentials; a failure leaves the old ones in place, which
// are served as long as they are valid.
func (r *refresher) set(creds session.Credentials, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
	if err == nil {
		r.creds = creds
	}
}

func (r *refresher) expiration() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.creds.Expiration
}

// untilRenewal is the time until the next moment of renewals, and at least
// a second, so that a wrong clock makes no busy loop.
func untilRenewal(expiration, now time.Time) time.Duration {
	left := expiration.Sub(now)
	for _, before := range renewals {
		if left > before+time.Second {
			return left - before
		}
	}
	return time.Second
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

package loopback

import (
	"context"
	"errors"
	"sync"
	"time"

	"groat/provider"
	"groat/session"
)

// Refresher keeps the credentials of a server fresh in the background, so
// that a request is answered at once and nobody is asked while one waits.
type Refresher struct {
	// Quiet mints without asking anybody; where a token code is needed its
	// error wraps provider.ErrNoCode.
	Quiet func(context.Context) (session.Credentials, error)
	// Ask mints and may ask; nil: nobody can be asked. Asking is told before
	// how long the credentials still last, and Unanswered why they stay so.
	Ask        func(context.Context) (session.Credentials, error)
	Asking     func(left time.Duration)
	Unanswered func(err error)
	Now        func() time.Time
	// Sleep waits; it returns early with the context's error.
	Sleep func(context.Context, time.Duration) error

	mu       sync.Mutex
	ctx      context.Context // of Run; nil before
	creds    session.Credentials
	failed   error         // why the last renewal failed; nil when it did not
	ended    time.Time     // when the last renewal ended
	renewing chan struct{} // closed when the renewal under way ends; nil: none is
	asked    time.Time     // when a question went unanswered
}

// The moments before expiry at which a renewal is tried. SDKs want new
// credentials 20 min before (botocore from instance metadata), 15 min before
// (botocore), 5 min before (JavaScript) or at the end (Go); the cache decides
// at each which of them are worth a call. The second is there because to the
// cache an hour's credentials are fresh until a third is left, and the hour
// began a moment before the credentials came.
var renewals = []time.Duration{
	MetadataMinTTL, 19*time.Minute + 30*time.Second, 15 * time.Minute, 5 * time.Minute, 30 * time.Second, 0,
}

// MetadataMinTTL is what credentials from instance metadata have left at
// least, where renewing asks nobody. botocore takes those that have less than
// 10 min, and up to 10 min of chance more, for a sign of trouble at EC2: it
// makes their expiry up, and goes on to use them when they have ended.
const MetadataMinTTL = 20 * time.Minute

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
	// maxWait is how long a request waits for the renewal that it has caused.
	maxWait = 10 * time.Second
	// renewalGap is the least time between two renewals, however many requests
	// ask for one.
	renewalGap = time.Second
)

// Current is the Source of the servers. A request that finds the credentials
// ended (the machine was suspended, or AWS out of reach) has them renewed and
// waits for that.
func (r *Refresher) Current(ctx context.Context) (session.Credentials, error) {
	creds, err := r.valid()
	if err == nil {
		return creds, nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	select {
	case <-r.renewal(true):
	case <-ctx.Done():
	}
	return r.valid()
}

// valid are the credentials, if they have not ended by the clock on the wall.
func (r *Refresher) valid() (session.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Now().Round(0)
	switch {
	case r.creds.Expiration.IsZero():
		// botocore reads no answer without an expiration: it may come back then.
		c := r.creds
		c.Expiration = now.Add(time.Hour)
		return c, nil
	case now.Before(r.creds.Expiration):
		return r.creds, nil
	case r.failed != nil:
		return session.Credentials{}, r.failed
	}
	return session.Credentials{}, errors.New("the credentials have expired and are being renewed")
}

// renewal is closed when the renewal ends that is under way, or that this
// begins: there is one at a time, and for a request only if another's has not
// just brought what it wants.
func (r *Refresher) renewal(request bool) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.renewing != nil {
		return r.renewing
	}
	done := make(chan struct{})
	now := r.Now().Round(0)
	if r.ctx == nil || r.ctx.Err() != nil || request && now.Before(r.creds.Expiration) {
		close(done)
		return done
	}
	r.renewing = done
	ago := now.Sub(r.ended)
	go func(ctx context.Context) {
		if ago >= 0 && ago < renewalGap { // below 0 the clock has been put back
			_ = r.Sleep(ctx, renewalGap-ago)
		}
		creds, err := r.renew(ctx)
		r.mu.Lock()
		defer r.mu.Unlock()
		// A failure leaves the old ones in place, which are served as long as
		// they are valid.
		if r.failed = err; err == nil {
			r.creds = creds
		}
		r.ended, r.renewing = r.Now().Round(0), nil
		close(done)
	}(r.ctx)
	return done
}

// Start takes credentials that were minted before the server was opened, and
// renews them until stop is called.
func (r *Refresher) Start(ctx context.Context, first session.Credentials) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r.begin(ctx, first)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.run()
	}()
	return func() {
		cancel()
		<-done
		<-r.renewal(true) // one that is under way, of a request
	}
}

func (r *Refresher) begin(ctx context.Context, first session.Credentials) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx, r.creds = ctx, first
}

// run renews until the context ends.
func (r *Refresher) run() {
	ctx, creds, _ := r.state()
	if creds.Expiration.IsZero() {
		return // they never expire
	}
	wait, retry := untilRenewal(creds.Expiration, r.Now()), retryFirst
	for r.sleepFor(ctx, wait) == nil {
		<-r.renewal(false)
		_, creds, failed := r.state()
		if failed != nil {
			wait, retry = retry, min(2*retry, retryMost)
		} else {
			wait, retry = untilRenewal(creds.Expiration, r.Now()), retryFirst
		}
	}
}

func (r *Refresher) state() (context.Context, session.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ctx, r.creds, r.failed
}

// sleepFor waits by the clock on the wall: a timer stands still while the
// machine sleeps, and credentials do not.
func (r *Refresher) sleepFor(ctx context.Context, wait time.Duration) error {
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
func (r *Refresher) renew(ctx context.Context) (session.Credentials, error) {
	creds, err := r.Quiet(ctx)
	if !errors.Is(err, provider.ErrNoCode) || r.Ask == nil {
		return creds, err
	}
	_, had, _ := r.state()
	now := r.Now().Round(0)
	left := had.Expiration.Sub(now)
	if left > askBefore || !r.asked.IsZero() && now.Sub(r.asked) < askAgain {
		return creds, err
	}
	r.asked = now
	r.Asking(max(left, 0))
	creds, err = r.Ask(ctx)
	switch {
	case err == nil:
		r.asked = time.Time{}
	case ctx.Err() == nil: // in a subshell, say, the question finds the terminal taken
		r.Unanswered(err)
	}
	return creds, err
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

// Sleep waits for d or for the end of ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

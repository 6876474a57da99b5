package loopback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"groat/provider"
	"groat/session"
)

// refreshWorld is a refresher on a clock of its own: sleeping moves it.
type refreshWorld struct {
	Refresher
	now    time.Time
	start  time.Time
	end    time.Duration // when the world stops
	events []string
	asleep func(at time.Duration) // called before each sleep
}

func newRefreshWorld(end time.Duration) *refreshWorld {
	w := &refreshWorld{start: time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC), end: end}
	w.now = w.start
	w.Now = func() time.Time { return w.now }
	w.Sleep = func(_ context.Context, d time.Duration) error {
		if w.asleep != nil {
			w.asleep(w.now.Sub(w.start))
		}
		w.now = w.now.Add(d)
		if w.now.Sub(w.start) > w.end {
			return context.Canceled
		}
		return nil
	}
	w.Asking = func(time.Duration) { w.log("announce") }
	w.Unanswered = func(error) { w.log("announce") }
	return w
}

func (w *refreshWorld) log(what string) {
	w.events = append(w.events, fmt.Sprintf("%s %s", w.now.Sub(w.start), what))
}

func (w *refreshWorld) creds(id string, life time.Duration) session.Credentials {
	return session.Credentials{AccessKeyID: id, Expiration: w.now.Add(life)}
}

func (w *refreshWorld) want(t *testing.T, events ...string) {
	t.Helper()
	if !slices.Equal(w.events, events) {
		t.Errorf("events:\n got %q\nwant %q", w.events, events)
	}
}

func TestRefresherRenewsBeforeExpiryWithoutAsking(t *testing.T) {
	w := newRefreshWorld(100 * time.Minute)
	n := 1
	w.Quiet = func(context.Context) (session.Credentials, error) {
		if c, _ := w.valid(); c.Expiration.Sub(w.now) > 15*time.Minute {
			return c, nil // the cache has it and finds it fresh
		}
		n++
		w.log("mint")
		return w.creds(fmt.Sprint(n), time.Hour), nil
	}
	w.asleep = func(at time.Duration) {
		if c, err := w.valid(); err != nil || c.Expiration.Sub(w.now) < 15*time.Minute {
			t.Errorf("at %s: %v, %v left", at, err, c.Expiration.Sub(w.now))
		}
	}
	w.begin(t.Context(), w.creds("1", time.Hour))
	w.run()
	w.want(t, "45m0s mint", "1h30m0s mint")
}

// A cache that follows MetadataMinTTL: an hour's credentials never fall below
// a third of it by more than half a minute.
func TestRefresherIsEarlyForTheMetadataService(t *testing.T) {
	w := newRefreshWorld(3 * time.Hour)
	fresh := min(MetadataMinTTL, (time.Hour-time.Second)/3) // issued a second ago
	w.Quiet = func(context.Context) (session.Credentials, error) {
		if c, _ := w.valid(); c.Expiration.Sub(w.now) > fresh {
			return c, nil
		}
		return w.creds("next", time.Hour), nil
	}
	w.asleep = func(at time.Duration) {
		if c, err := w.valid(); err != nil || c.Expiration.Sub(w.now) < 19*time.Minute {
			t.Errorf("at %s: %v, %v left", at, err, c.Expiration.Sub(w.now))
		}
	}
	w.begin(t.Context(), w.creds("first", time.Hour))
	w.run()
}

func TestRefresherAsksLateAndOnce(t *testing.T) {
	w := newRefreshWorld(70 * time.Minute)
	first := w.creds("1", time.Hour)
	needed := fmt.Errorf("code: %w", provider.ErrNoCode)
	w.Quiet = func(context.Context) (session.Credentials, error) {
		if first.Expiration.Sub(w.now) > 5*time.Minute {
			return first, nil // the cache serves it while asking would be needed
		}
		return session.Credentials{}, needed
	}
	w.Ask = func(context.Context) (session.Credentials, error) {
		w.log("ask")
		return session.Credentials{}, fmt.Errorf("declined: %w", provider.ErrCancelled)
	}
	w.asleep = func(at time.Duration) {
		c, err := w.valid()
		if at < time.Hour && (err != nil || c.AccessKeyID != "1") {
			t.Errorf("at %s still valid credentials were not served: %v", at, err)
		}
		if at >= time.Hour && err == nil {
			t.Errorf("at %s expired credentials were served", at)
		}
	}
	w.begin(t.Context(), first)
	w.run()
	w.want(t, "55m0s announce", "55m0s ask", "55m0s announce") // why it stays so; and not again within 15 min, however often a renewal is tried
}

func TestRefresherTakesWhatAnotherProcessMinted(t *testing.T) {
	w := newRefreshWorld(59 * time.Minute)
	first := w.creds("1", time.Hour)
	other := session.Credentials{AccessKeyID: "2", Expiration: w.now.Add(3 * time.Hour)}
	w.Quiet = func(context.Context) (session.Credentials, error) {
		switch left := first.Expiration.Sub(w.now); {
		case left > 5*time.Minute:
			return first, nil
		case left > 4*time.Minute:
			return session.Credentials{}, provider.ErrNoCode
		}
		return other, nil
	}
	w.Ask = func(context.Context) (session.Credentials, error) {
		return session.Credentials{}, provider.ErrCancelled
	}
	w.begin(t.Context(), first)
	w.run()
	if c, err := w.valid(); err != nil || c.AccessKeyID != "2" {
		t.Errorf("current = %v, %v; want the other process's", c, err)
	}
}

func TestRefresherBacksOffWhenAWSIsAway(t *testing.T) {
	w := newRefreshWorld(3 * time.Hour)
	tries := 0
	w.Quiet = func(context.Context) (session.Credentials, error) {
		tries++
		return session.Credentials{}, provider.ErrUnreachable
	}
	w.begin(t.Context(), w.creds("1", 20*time.Minute))
	w.run()
	// 5 s, 10 s … 5 min from minute 5 on: six to begin with, then 12 an hour.
	if tries < 30 || tries > 50 {
		t.Errorf("%d tries in three hours; want a slow, steady retry", tries)
	}
	if _, err := w.valid(); !errors.Is(err, provider.ErrUnreachable) {
		t.Errorf("current says %v; want the reason", err)
	}
}

// The machine slept through the expiry: the first look at the clock renews.
func TestRefresherLooksAtTheClock(t *testing.T) {
	w := newRefreshWorld(10 * time.Hour)
	slept := false
	w.asleep = func(time.Duration) {
		if !slept {
			slept = true
			w.now = w.now.Add(5 * time.Hour)
		}
	}
	w.Quiet = func(context.Context) (session.Credentials, error) {
		w.log("mint")
		return w.creds("2", 8*time.Hour), nil
	}
	w.begin(t.Context(), w.creds("1", time.Hour))
	w.run()
	w.want(t, "5h0m30s mint")
}

func TestRefresherLeavesEndlessCredentialsAlone(t *testing.T) {
	w := newRefreshWorld(time.Hour)
	w.begin(t.Context(), session.Credentials{AccessKeyID: "AKIA"})
	w.run()
	if c, err := w.valid(); err != nil || c.AccessKeyID != "AKIA" || !c.Expiration.Equal(w.now.Add(time.Hour)) {
		t.Errorf("current = %v until %s, %v", c, c.Expiration, err)
	}
}

func TestUntilRenewalNeverSpins(t *testing.T) {
	now := time.Now()
	if d := untilRenewal(now.Add(time.Hour), now); d != 40*time.Minute { // of a metadata server
		t.Errorf("an hour's credentials are renewed after %s", d)
	}
	for _, left := range []time.Duration{-time.Hour, 0, time.Second, 31 * time.Second, time.Minute, 5 * time.Minute, 16 * time.Minute, 12 * time.Hour} {
		if d := untilRenewal(now.Add(left), now); d < time.Second || d > max(left, time.Second) {
			t.Errorf("untilRenewal(%s) = %s", left, d)
		}
	}
}

// testClock is a wall clock that several goroutines look at.
type testClock struct{ passed atomic.Int64 }

func (c *testClock) Now() time.Time {
	return time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(c.passed.Load()))
}

func (c *testClock) sleep(d time.Duration) { c.passed.Add(int64(d)) }

// A request after a suspend or an outage has the credentials renewed, once
// for all who ask, and gets them.
func TestRequestRenewsWhatHasEnded(t *testing.T) {
	for _, outage := range []bool{false, true} {
		var clock testClock
		r := &Refresher{Now: clock.Now}
		r.Sleep = func(ctx context.Context, _ time.Duration) error { // the machine sleeps, and so do its timers
			<-ctx.Done()
			return ctx.Err()
		}
		calls := 0
		asked, answer := make(chan struct{}), make(chan struct{})
		r.Quiet = func(context.Context) (session.Credentials, error) {
			calls++
			asked <- struct{}{}
			<-answer
			return session.Credentials{AccessKeyID: "2", Expiration: clock.Now().Add(time.Hour)}, nil
		}
		stop := r.Start(t.Context(), session.Credentials{AccessKeyID: "1", Expiration: clock.Now().Add(time.Hour)})
		if outage {
			r.mu.Lock()
			r.failed = provider.ErrUnreachable
			r.mu.Unlock()
		}
		clock.sleep(2 * time.Hour)
		got := make(chan error, 5)
		for range cap(got) {
			go func() {
				c, err := r.Current(t.Context())
				if err == nil && c.AccessKeyID != "2" {
					err = fmt.Errorf("got %s", c.AccessKeyID)
				}
				got <- err
			}()
		}
		<-asked
		close(answer)
		for range cap(got) {
			if err := <-got; err != nil {
				t.Errorf("after an outage %v: %v", outage, err)
			}
		}
		if calls != 1 {
			t.Errorf("%d renewals", calls)
		}
		stop()
	}
}

// However often it is asked, what cannot be renewed is tried once a second;
// whoever asks hears why, and an asker who leaves takes nothing along.
func TestRequestsMakeNoBusyLoop(t *testing.T) {
	var clock testClock
	r := &Refresher{Now: clock.Now}
	calls, slept := 0, time.Duration(0)
	r.Sleep = func(_ context.Context, d time.Duration) error { slept += d; clock.sleep(d); return nil }
	r.Quiet = func(context.Context) (session.Credentials, error) {
		calls++
		return session.Credentials{}, provider.ErrUnreachable
	}
	r.begin(t.Context(), session.Credentials{Expiration: clock.Now().Add(-time.Hour)})
	for range 100 {
		if _, err := r.Current(t.Context()); !errors.Is(err, provider.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if calls != 100 || slept != 99*renewalGap {
		t.Errorf("%d renewals with %s between them", calls, slept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Current(ctx); !errors.Is(err, provider.ErrUnreachable) {
		t.Error(err)
	}
	<-r.renewal(true)
}

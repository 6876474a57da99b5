package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"groat/session/flight"
)

// Mint calls AWS for new credentials. It runs under the entry's lock, at
// most once among all processes that ask at the same time.
type Mint func(ctx context.Context) (Credentials, error)

// Cache is the encrypted cache of session credentials. It is safe for
// concurrent use; it must not be copied once used.
type Cache struct {
	Store Store
	// Flight is for all processes that share the store: one mint and one
	// question at a time. The memory of used codes is kept in its directory.
	Flight flight.Group
	Now    func() time.Time
	// MinTTL: an entry with no more than min(MinTTL, a third of its lifetime)
	// left is not served. Zero means the default of 15 min, or 5 min where
	// renewing would have to ask somebody.
	MinTTL time.Duration
	// Disabled (--no-cache): neither reads nor writes entries; locks still apply.
	Disabled bool
	Warn     func(msg string)     // one line, no secrets; nil drops it
	Debugf   func(string, ...any) // nil drops it

	// StaleOn is the failure (by errors.Is) after which an entry that is due to
	// be renewed is still served, with a warning, while more than 5 min are
	// left: that AWS is out of reach. Nil: none.
	StaleOn error
	// OnMiss is called by Do, before it waits for anything, where the cache
	// alone does not answer. Nil drops it.
	OnMiss func()
}

// Get returns the fresh entry for the request, if there is one. It takes no
// lock, writes nothing and mints nothing. A damaged entry is a miss, with a
// warning; an error means that the store itself failed (locked, unavailable).
func (c *Cache) Get(ctx context.Context, req Request) (Credentials, bool, error) {
	return c.look(ctx, req, c.warn)
}

// look is Get with its own place for the warning about a damaged entry.
func (c *Cache) look(ctx context.Context, req Request, warn func(string)) (Credentials, bool, error) {
	e, verdict, err := c.find(ctx, req, warn)
	if err != nil || e == nil {
		return Credentials{}, false, err
	}
	fresh := verdict == usable || verdict == usableIfAsking && req.Asks != nil && req.Asks(ctx)
	c.debugf("cache %s: %s %s, expires %s", map[bool]string{true: "hit", false: "stale"}[fresh],
		e.Info.Kind, e.Info.Profile, e.Info.Expiration.Format(time.RFC3339))
	if !fresh {
		return Credentials{}, false, nil
	}
	return e.Credentials, true, nil
}

// find reads the entry and judges its times; no entry is nil.
func (c *Cache) find(ctx context.Context, req Request, warn func(string)) (*stored, verdict, error) {
	if c.Disabled {
		return nil, unusable, nil
	}
	data, err := c.Store.Get(ctx, string(req.Key))
	switch {
	case errors.Is(err, ErrNotFound):
		c.debugf("cache miss: %s %s", req.Info.Kind, req.Info.Profile)
		return nil, unusable, nil
	case errors.Is(err, ErrDamaged):
		warn(damaged(req.Info, err))
		return nil, unusable, nil
	case err != nil:
		return nil, unusable, fmt.Errorf("could not read the cached session of profile %q: %w", req.Info.Profile, err)
	}
	e, err := decode(req.Key, data)
	if err != nil {
		warn(damaged(req.Info, err))
		return nil, unusable, nil
	}
	return &e, judge(e.Info.Issued, e.Info.Expiration, c.now(), c.MinTTL), nil
}

// Do returns the fresh entry for the request or, once among all processes
// that ask at the same time, mints it: lock → re-read → mint → store. Storing
// may fail with a warning; minted credentials are always delivered.
//
// While another process mints, Do waits for as long as ctx allows. It ends
// with that process's failure if Outcomes called it final; if the other process
// dies, is stopped or fails otherwise, this one (or another waiter) mints.
func (c *Cache) Do(ctx context.Context, req Request, mint Mint) (Credentials, error) {
	req.Asks = onlyOnce(req.Asks)
	if creds, ok, err := c.look(ctx, req, c.warn); ok || err != nil {
		return creds, err
	}
	if c.OnMiss != nil {
		c.OnMiss()
	}
	creds, err := c.mintOnce(ctx, req, mint)
	if err != nil && c.StaleOn != nil && errors.Is(err, c.StaleOn) {
		if e, verdict, ferr := c.find(ctx, req, quiet); ferr == nil && e != nil && verdict == usableIfAsking {
			c.warn(fmt.Sprintf("could not renew the session of profile %q, using the one that lasts until %s: %v",
				req.Info.Profile, e.Info.Expiration.Format(time.RFC3339), err))
			return e.Credentials, nil
		}
	}
	return creds, err
}

// mintOnce mints under the entry's lock, or takes what another process minted
// in the meantime.
func (c *Cache) mintOnce(ctx context.Context, req Request, mint Mint) (Credentials, error) {
	var found Credentials
	reread := func() (ok bool, err error) {
		found, ok, err = c.look(ctx, req, quiet)
		return ok, err
	}
	minted := false
	err := c.Flight.Do(ctx, flight.Work{Name: string(req.Key), For: req.Info.Profile, Look: reread, Attempt: func(ctx context.Context) (bool, error) {
		var err error
		if found, err = mint(ctx); err != nil {
			return false, err
		}
		minted = true
		// A caller that gives up now still has credentials in hand, and whoever
		// waits behind this lock should find them.
		return c.store(context.WithoutCancel(ctx), req, found), nil
	}})
	if err != nil {
		return Credentials{}, err
	}
	if minted && !c.Disabled {
		c.pruneNowAndThen(context.WithoutCancel(ctx))
	}
	return found, nil
}

func quiet(string) {}

// store caches what was minted and reports whether it did. Whatever goes
// wrong is a warning only.
func (c *Cache) store(ctx context.Context, req Request, creds Credentials) bool {
	if c.Disabled || creds.Expiration.IsZero() {
		// Credentials without an end are never cached: nothing would ever
		// notice that they were replaced at their source.
		return false
	}
	info := req.Info
	info.Issued, info.Expiration = c.now().UTC().Truncate(time.Second), creds.Expiration.UTC()
	creds.Expiration = info.Expiration
	data, err := encode(req.Key, info, creds)
	if err == nil {
		put, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		err = c.Store.Put(put, string(req.Key), data)
	}
	if err != nil {
		c.warn(fmt.Sprintf("could not cache the session of profile %q, the next call mints again: %v", info.Profile, err))
	}
	return err == nil
}

// storeTimeout bounds storing after minting, an unlock dialog included.
const storeTimeout = 30 * time.Second

// Drop forgets one entry, because AWS refused it. A missing one is no error.
func (c *Cache) Drop(ctx context.Context, key Key) error {
	if c.Disabled {
		return nil
	}
	if err := c.Store.Remove(ctx, string(key)); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("could not forget a refused session: %w", err)
	}
	return nil
}

func onlyOnce(asks func(context.Context) bool) func(context.Context) bool {
	if asks == nil {
		return nil
	}
	var known, answer bool
	return func(ctx context.Context) bool {
		if !known {
			known, answer = true, asks(ctx)
		}
		return answer
	}
}

func damaged(info Info, err error) string {
	return fmt.Sprintf("the cached session of profile %q is not usable and is replaced: %v", info.Profile, err)
}

func (c *Cache) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

func (c *Cache) warn(msg string) {
	if c.Warn != nil {
		c.Warn(msg)
	}
}

func (c *Cache) debugf(format string, args ...any) {
	if c.Debugf != nil {
		c.Debugf(format, args...)
	}
}

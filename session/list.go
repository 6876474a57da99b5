package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// List returns the entries that have not expired, in the store's order of
// names. What cannot be read is told as errors; all others are still listed.
func (c *Cache) List(ctx context.Context) ([]Entry, []error) {
	names, err := c.Store.Names(ctx)
	if err != nil {
		return nil, []error{fmt.Errorf("could not list the cached sessions: %w", err)}
	}
	var entries []Entry
	var errs []error
	for _, name := range names {
		e, err := c.read(ctx, name)
		switch {
		case errors.Is(err, ErrNotFound): // removed meanwhile
		case errors.Is(err, ErrDamaged):
			errs = append(errs, fmt.Errorf("cached session %s: %w", short(name), err))
		case err != nil:
			// The store does not open: asking it again for every other entry
			// could mean a question for each.
			return entries, append(errs, fmt.Errorf("could not read the cached sessions: %w", err))
		case e.Info.Expiration.After(c.now()):
			entries = append(entries, Entry{Key: Key(name), Info: e.Info})
		}
	}
	return entries, errs
}

// Remove deletes the entries that match and returns how many. It carries on
// past those that cannot be deleted and joins their errors. An entry that
// cannot be read is offered with an empty Info. Expired entries are offered
// too. With a nil match all are deleted, and none is read.
func (c *Cache) Remove(ctx context.Context, match func(Entry) bool) (int, error) {
	names, err := c.Store.Names(ctx)
	if err != nil {
		return 0, fmt.Errorf("could not list the cached sessions: %w", err)
	}
	all := len(names)
	var broken error // the store itself does not open; do not ask it again
	if match != nil {
		names = slices.DeleteFunc(names, func(name string) bool {
			entry := Entry{Key: Key(name)}
			if broken == nil {
				e, err := c.read(ctx, name)
				if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotFound) {
					broken = fmt.Errorf("could not read the cached sessions: %w", err)
				}
				entry.Info = e.Info
			}
			return !match(entry)
		})
	}
	n, err := c.removeAll(ctx, names)
	if n == all { // what could not be read is gone with the rest
		broken = nil
	}
	return n, errors.Join(err, broken)
}

func (c *Cache) removeAll(ctx context.Context, names []string) (n int, err error) {
	if s, ok := c.Store.(BulkStore); ok {
		if n, err = s.RemoveAll(ctx, names); err != nil {
			err = fmt.Errorf("could not remove all cached sessions: %w", err)
		}
		return n, err
	}
	var errs []error
	for _, name := range names {
		switch err := c.Store.Remove(ctx, name); {
		case err == nil:
			n++
		case !errors.Is(err, ErrNotFound):
			errs = append(errs, fmt.Errorf("could not remove cached session %s: %w", short(name), err))
		}
	}
	return n, errors.Join(errs...)
}

// Entries are pruned when they have been expired for a day: long enough for a
// clock that was wrong to be put right.
const (
	pruneAge      = 24 * time.Hour
	pruneInterval = 24 * time.Hour
	pruneTimeout  = 2 * time.Second
)

// Prune removes entries that expired long ago. It is best effort: whatever
// fails is left for another day.
func (c *Cache) Prune(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pruneTimeout)
	defer cancel()
	names, err := c.Store.Names(ctx)
	if err != nil {
		c.debugf("could not list the cached sessions for pruning: %v", err)
		return
	}
	var old []string
	for _, name := range names {
		e, err := c.read(ctx, name)
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotFound) {
			c.debugf("pruning stopped: %v", err)
			return
		}
		if err == nil && c.now().Sub(e.Info.Expiration) >= pruneAge {
			old = append(old, name)
		}
	}
	if _, err := c.removeAll(ctx, old); err != nil {
		c.debugf("could not prune: %v", err)
	}
}

// pruneNowAndThen prunes once a day, after a mint: entries of edited profiles
// and rotated keys are never asked for again and would stay for ever.
func (c *Cache) pruneNowAndThen(ctx context.Context) {
	if c.Flight.Dir == "" {
		return
	}
	stamp := filepath.Join(c.Flight.Dir, "state", "pruned")
	if st, err := os.Stat(stamp); err == nil {
		if age := c.now().Sub(st.ModTime()); age >= 0 && age < pruneInterval {
			return
		}
	}
	// Without a stamp every mint would prune: rather none does.
	if makeState(filepath.Dir(stamp)) != nil || os.WriteFile(stamp, nil, 0o600) != nil ||
		os.Chtimes(stamp, c.now(), c.now()) != nil {
		return
	}
	c.Prune(ctx)
}

func (c *Cache) read(ctx context.Context, name string) (stored, error) {
	data, err := c.Store.Get(ctx, name)
	if err != nil {
		return stored{}, err
	}
	return decode(Key(name), data)
}

// short is enough of a key to find it by, in a message.
func short(name string) string {
	if len(name) > 12 {
		return name[:12] + "…"
	}
	return name
}

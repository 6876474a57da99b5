package session

import (
	"context"
	"time"
)

// Mint calls AWS for new credentials. It runs under the entry's lock, at
// most once among all processes that ask at the same time.
type Mint func(ctx context.Context) (Credentials, error)

// Cache is the encrypted cache of session credentials.
type Cache struct {
	Store   Store
	LockDir string // one lock file per cache key and MFA device; created 0700; empty or unwritable: no locks, with a warning
	Now     func() time.Time
	// MinTTL: an entry with no more than min(MinTTL, a third of its lifetime)
	// left is not served. Zero means the default of 15 min, or 5 min where
	// renewing would have to ask somebody.
	MinTTL time.Duration
	// Disabled (--no-cache): neither reads nor writes entries; locks still apply.
	Disabled bool
	Warn     func(msg string)     // one line, no secrets; nil drops it
	Debugf   func(string, ...any) // nil drops it
}

// The methods (bodies in this package):
//
//	Get(ctx, Request) (Credentials, bool, error)   a fresh entry, no lock taken, nothing minted
//	Do(ctx, Request, Mint) (Credentials, error)    Get, else lock → re-read → mint → store
//	Drop(ctx, Key) error                           forget one entry (AWS refused it); missing is nil
//	List(ctx) ([]Entry, []error)                   unexpired entries; damaged ones as errors, others still listed
//	Remove(ctx, func(Entry) bool) (int, error)     carries on past undeletable ones, joins their errors
//	Prune(ctx)                                     best effort, of entries long expired

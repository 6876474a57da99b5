// Package vault keeps long-lived access keys and other secrets as sealed
// items in one named backend: the groat file vault, Secret Service, KWallet,
// Keychain, Windows Credential Manager, pass or the kernel keyring.
//
// A vault never falls through to another backend, and an item is only ever
// returned under the kind and the name it was stored under.
package vault

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"groat/vault/files"
)

// Kind is an item's namespace. Two items of different kinds never meet, even
// when their names are equal.
type Kind string

// The kinds of items that a vault holds.
const (
	KindKey     Kind = "key"     // long-lived access key (accesskey.Key as JSON), named by its profile
	KindCard    Kind = "card"    // what is known of a key without opening it (Card as JSON), named by its profile
	KindSession Kind = "session" // session credentials, named by their cache key
	KindToken   Kind = "token"   // IAM Identity Center tokens and client registrations
	KindSeed    Kind = "seed"    // TOTP seed, named by its MFA serial; not opened by unlock memory
	KindJournal Kind = "journal" // what a half-done rotation must remember, named by its profile
)

// Vault is one open backend. Implementations are safe for concurrent use by
// many goroutines and many processes, and bound every call in time.
//
// Opening is lazy: nothing is asked and no passphrase is needed until an
// item that exists has to be unsealed or one has to be sealed.
type Vault interface {
	// Backend names the backend as --backend does ("file", "secret-service", …).
	Backend() string
	// Get returns the item's bytes. Errors wrap ErrNotFound, ErrLocked,
	// ErrPassphrase, ErrCorrupt or ErrUnavailable. A missing item is
	// ErrNotFound without any prompt.
	Get(ctx context.Context, kind Kind, name string) ([]byte, error)
	// Put stores the item, replacing an older one; when it returns nil the
	// item is durable and was proved readable where the backend is known to lie.
	Put(ctx context.Context, kind Kind, name string, data []byte) error
	// Remove deletes the item; a missing one is ErrNotFound on every backend.
	Remove(ctx context.Context, kind Kind, name string) error
	// Names lists the names of a kind, sorted, without opening the items of
	// KindKey and KindSeed.
	Names(ctx context.Context, kind Kind) ([]string, error)
	// Close releases connections and wipes keys held in memory.
	Close() error
}

// RemoveAll deletes the items of a kind that are there, and says how many. It
// goes on past those that cannot be deleted, and joins their errors. For the
// file vault many cost hardly more than one.
func RemoveAll(ctx context.Context, v Vault, kind Kind, names []string) (removed int, err error) {
	if f, ok := v.(*File); ok {
		return f.removeAll(ctx, kind, names)
	}
	var errs []error
	for _, name := range names {
		switch err := v.Remove(ctx, kind, name); {
		case err == nil:
			removed++
		case !errors.Is(err, ErrNotFound):
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return removed, errors.Join(errs...)
}

// What can go wrong, whatever the backend. Use errors.Is.
var (
	ErrNotFound    = errors.New("not found in the vault")
	ErrLocked      = errors.New("the vault is locked")               // and nobody could or would open it
	ErrPassphrase  = errors.New("wrong passphrase")                  // or a refused unlock dialog
	ErrCorrupt     = errors.New("item is damaged or was not sealed") // left alone, never believed
	ErrUnavailable = errors.New("vault backend is not available")    // no bus, no program, no permission, no answer in time
)

// OfItem reports whether an error concerns one item alone. Any other is the
// vault's own or that of whoever was asked: the next item would meet it too,
// with another question perhaps.
func OfItem(err error) bool {
	var access *files.AccessError
	if errors.As(err, &access) {
		_, _, _, item := DecodeName(filepath.Base(access.Path))
		return item
	}
	return (errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotFound)) && !errors.Is(err, errHeader)
}

// Error says which operation on which item failed, in words for a person.
// It never holds an item's contents.
type Error struct {
	Op      string // "get", "put", "remove", "names", "open", or a verb of the backend's own
	Backend string
	Kind    Kind   // empty for "open"
	Name    string // the caller's name of the item, empty for "names" and "open"
	Err     error  // wraps one of the sentinel errors
	Remedy  string // what to do, one line without a full stop; may be empty
}

// Error is one line, lower case.
func (e *Error) Error() string {
	what := e.Op
	switch e.Op {
	case "names":
		what = "list its items"
	case "get":
		what = "read"
	case "put":
		what = "store"
	}
	if e.Name != "" {
		words, ok := kindWords[e.Kind]
		if !ok {
			words = string(e.Kind)
		}
		what += fmt.Sprintf(" %s %q", words, e.Name)
	}
	return fmt.Sprintf("%s vault: could not %s: %v", e.Backend, what, e.Err)
}

// kindWords are the kinds for a person.
var kindWords = map[Kind]string{
	KindKey:     "the access key of",
	KindCard:    "the description of the access key of",
	KindSession: "the cached session",
	KindToken:   "the stored sign-in",
	KindSeed:    "the TOTP seed of",
	KindJournal: "the unfinished rotation of",
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Hint is the remedy, for the one place that prints it.
func (e *Error) Hint() string { return e.Remedy }

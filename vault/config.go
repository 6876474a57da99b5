package vault

import (
	"context"
	"time"

	"groat/vault/files"
)

// Config says which backend to open and how. The zero value of a field means
// that backend's default. Nothing here is read from the environment: the
// caller injects it.
type Config struct {
	// Backend is "auto" or one of Backends.
	Backend string
	// FileDir is the file vault's directory (created 0700 at the first Put).
	FileDir string
	// LeastCost gives a new passphrase the lowest cost of derivation that the
	// file vault accepts, whatever the machine, for tests.
	LeastCost bool
	// Disk is what the file vault writes to; its zero value is the disk itself.
	Disk files.Disk
	// StateDir holds what is not secret: where `add` put which key, locks of
	// the backends that have no directory of their own.
	StateDir string
	// Passphrase is asked for the file vault's passphrase.
	Passphrase PassphraseFunc
	// Given is the passphrase where having it asks nobody and runs nothing;
	// false where it would. Processes that have it, and run at the same time
	// as the same user, take the vault key from the one that derives it. Nil:
	// each derives its own.
	Given func() ([]byte, bool)
	// AskAlone waits until no other process asks for this vault's passphrase
	// or tries it, or until known reports that it is not needed any more.
	// release tells the others how it went here, nil also standing for what
	// concerns nobody else. Its own error is that of a question that was
	// waited for and that failed for all. Nil: each asks when it needs to.
	AskAlone func(ctx context.Context, known func() bool) (release func(error), err error)
	// UnlockFor overrides how long the kernel keyring remembers the vault
	// key; nil: 1 h after a prompted passphrase, else not at all. 0 = never.
	UnlockFor *time.Duration

	Keychain                string // macOS: keychain name
	SecretServiceCollection string // default "login"
	KWalletFolder           string // default "groat"
	PassDir                 string
	PassCmd                 string
	PassPrefix              string // default "groat"
	KeyctlScope             string // default "user"

	// LookOnly: nothing is mended on the way.
	LookOnly bool
	// NoInput: no backend may put up a dialog or let gpg ask; what would ask
	// is an error wrapping ErrLocked at once.
	NoInput bool
	// Environ is the environment for backends that run a program (pass → gpg)
	// and names the session bus (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR).
	Environ []string
	// Timeout bounds one backend call that can hang; default 30 s (an unlock
	// dialog may be open), probes of "auto" 3 s.
	Timeout time.Duration
	// Warn receives one-line warnings without secrets; nil drops them.
	Warn func(msg string)
	// PassedOver receives, in one line without secrets, why "auto" did not
	// choose the stores that are there; nil drops it.
	PassedOver func(msg string)
	// Debugf receives what happens, without secrets; nil drops it.
	Debugf func(format string, args ...any)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// PassphraseOrigin says where a passphrase came from: unlock memory treats a
// prompted one differently from one that is always at hand.
type PassphraseOrigin string

// The origins of a passphrase.
const (
	FromPrompt      PassphraseOrigin = "prompt"
	FromEnvironment PassphraseOrigin = "environment"
	FromFile        PassphraseOrigin = "file"
	FromCommand     PassphraseOrigin = "command"
)

// PassphraseRequest is what a PassphraseFunc is asked.
type PassphraseRequest struct {
	Path    string // the vault's directory
	New     bool   // a new passphrase is chosen: ask twice, refuse an empty one (unless the environment says so)
	Attempt int    // 1 for the first; more after a wrong one (only prompts are asked again)
}

// PassphraseFunc answers with the passphrase's bytes. It returns an error
// wrapping ErrLocked when nobody can be asked.
type PassphraseFunc func(ctx context.Context, req PassphraseRequest) ([]byte, PassphraseOrigin, error)

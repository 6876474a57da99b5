package provider

import (
	"fmt"

	"groat/vault/files"
)

// NoKeyError says that a chain ends at a profile without any credentials.
// It wraps ErrNoKey.
type NoKeyError struct {
	Profile string // asked for
	Missing string // whose key is missing
}

// Error is one line.
func (e *NoKeyError) Error() string {
	if e.Profile == "" || e.Profile == e.Missing {
		return fmt.Sprintf("profile %q: %v", e.Missing, ErrNoKey)
	}
	return fmt.Sprintf("profile %q: %v for its source profile %q", e.Profile, ErrNoKey, e.Missing)
}

// Unwrap gives the cause to errors.Is.
func (e *NoKeyError) Unwrap() error { return ErrNoKey }

// Hint says how to store the key.
func (e *NoKeyError) Hint() string {
	return fmt.Sprintf("run `groat add %[1]s` to store its access key, or `groat signin %[1]s` to do without one", files.Word(e.Missing))
}

// replacedError says that a plan was made for another key than the one that
// is stored now. It wraps ErrKeyReplaced: a new plan is needed.
type replacedError struct{ profile string }

func (e *replacedError) Error() string {
	return fmt.Sprintf("profile %q: %v since its card was read", e.profile, ErrKeyReplaced)
}

func (e *replacedError) Unwrap() error { return ErrKeyReplaced }

// Hint is the remedy, for the one place that prints it.
func (e *replacedError) Hint() string {
	return fmt.Sprintf("run this again; if that does not help, store the key anew with `groat add --overwrite %s`", files.Word(e.profile))
}

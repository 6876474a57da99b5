package provider

import "fmt"

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
	return fmt.Sprintf("run `groat add %s` to store its access key", e.Missing)
}

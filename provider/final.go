package provider

import (
	"errors"
	"fmt"
)

// askedError marks a failure that came after somebody was asked for a token
// code: whoever waited for this attempt must not be asked the same again.
type askedError struct{ err error }

func (e *askedError) Error() string { return e.err.Error() }
func (e *askedError) Unwrap() error { return e.err }

// The codes under which a failure passes from the process that was asked to
// those that waited for it.
var finalClasses = []struct {
	code string
	err  error
}{
	{"cancelled", ErrCancelled},
	{"interrupted", ErrInterrupted},
	{"refused", ErrRefused},
	{"no-code", ErrNoCode},
	{"unreachable", ErrUnreachable},
}

// Final is the session cache's Final: a prompt that was cancelled, a code
// that was refused for good, a call that failed although a code was given end
// the attempt for every process that waits for it. Having nobody to ask does
// not: one of those who wait may have a terminal.
func Final(err error) (code string, final bool) {
	var asked *askedError
	if !errors.As(err, &asked) {
		var ended *endedError
		if errors.As(err, &ended) {
			return ended.code, true
		}
		return "", false
	}
	for _, c := range finalClasses {
		if errors.Is(err, c.err) {
			return c.code, true
		}
	}
	return "", false
}

// Restore is the session cache's Restore: another process's final failure as
// an error of the same class. An interruption there is a cancelled prompt here.
func Restore(code, message string) error {
	for _, c := range finalClasses {
		if c.code != code {
			continue
		}
		class := c.err
		if errors.Is(class, ErrInterrupted) {
			class = ErrCancelled
		}
		return &endedError{code: code, message: sanitizeText(message), class: class}
	}
	return nil
}

// endedError is how an attempt ended that another process made.
type endedError struct {
	code, message string
	class         error
}

func (e *endedError) Error() string { return fmt.Sprintf("in another process: %s", e.message) }
func (e *endedError) Unwrap() error { return e.class }

package provider

import (
	"context"
	"errors"
	"strings"
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
// the attempt for every process that waits for it. So do a refusal and an
// unreachable AWS without any question: all who wait would make the very same
// call, one after the other, each up to its time limit. Having nobody to ask
// is not final: one of those who wait may have a terminal. Nor is being
// stopped oneself.
func Final(err error) (code string, final bool) {
	var asked *askedError
	var ended *endedError
	if !errors.As(err, &asked) {
		switch {
		case errors.As(err, &ended):
			return ended.code, true
		case errors.Is(err, context.Canceled), errors.Is(err, ErrInterrupted):
			return "", false
		case !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnreachable):
			return "", false
		}
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
		// What was passed on more than once says so once.
		return &endedError{code: code, message: strings.TrimPrefix(sanitizeText(message), elsewhere), class: class}
	}
	return nil
}

// endedError is how an attempt ended that another process made.
type endedError struct {
	code, message string
	class         error
}

const elsewhere = "in another process: "

func (e *endedError) Error() string { return elsewhere + e.message }
func (e *endedError) Unwrap() error { return e.class }

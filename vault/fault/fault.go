// Package fault is how every room says what went wrong and what to do about it.
package fault

import "errors"

// Error is a failure whose text is already what a person should read. Types
// of their own are for failures that a caller looks into.
type Error struct {
	Text   string // one line
	Remedy string // one line: what to do; may be empty
	Err    error  // its class, or its causes; may be nil
}

// New is an Error; class may be nil.
func New(text, remedy string, class error) error { return &Error{text, remedy, class} }

// Error is the text alone.
func (e *Error) Error() string { return e.Text }

// Unwrap gives the class to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Hint is the remedy, for the one place that prints it.
func (e *Error) Hint() string { return e.Remedy }

// Hint is the hint of an error, or of the outermost one in it that may have
// one; "" where there is none.
func Hint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

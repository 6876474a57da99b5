package iam

// Error is a failure whose text is already what a person should read.
type Error struct {
	Text   string
	Remedy string // one line; may be empty
	Err    error  // its class, one of package provider's
}

// Error is one line.
func (e *Error) Error() string { return e.Text }

// Unwrap gives the class to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Hint is the remedy, for the one place that prints it.
func (e *Error) Hint() string { return e.Remedy }

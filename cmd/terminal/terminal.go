// Package terminal asks a person: on the terminal device itself, whatever is
// redirected, or in a window of a GUI driver where there is no terminal.
//
// Nothing here reads stdin or writes to stdout. Under credential_process the
// SDK owns both and captures stderr, so that a prompt anywhere but on the
// device is a prompt nobody sees.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"groat/vault/fault"
)

// How asking can end without an answer. Use errors.Is.
var (
	// ErrNoTerminal: there is no way to ask; the wrapping error says why.
	ErrNoTerminal = errors.New("there is no way to ask")
	// ErrCancelled: the person declined (Ctrl-D, Esc, closed window).
	ErrCancelled = errors.New("the prompt was cancelled")
	// ErrInterrupted: Ctrl-C or another ending signal; see SignalError.
	ErrInterrupted = errors.New("interrupted")
	// ErrTimeout: no answer came before the deadline.
	ErrTimeout = errors.New("no answer in time")
)

// SignalError says which signal ended a prompt. The terminal is restored by
// the time it is returned. It is an ErrInterrupted to errors.Is.
type SignalError struct{ Signal os.Signal }

// Error is one line.
func (e *SignalError) Error() string { return "interrupted (" + e.Signal.String() + ")" }

// Is makes every ending signal an ErrInterrupted.
func (e *SignalError) Is(target error) bool { return target == ErrInterrupted }

// Options say how to ask. Nothing is read from the process's environment.
type Options struct {
	// Driver is auto, terminal, osascript, zenity, kdialog, pinentry,
	// wincredui, ykman or none; "" means auto.
	Driver string
	// NoInput forbids asking altogether.
	NoInput bool
	// Environ is the environment that drivers are looked for in (PATH,
	// DISPLAY, WAYLAND_DISPLAY, XDG_RUNTIME_DIR, SSH_*) and run with.
	Environ []string
	// Deadline bounds all questions together, counted from New; 0 = none.
	// SDKs kill a credential process after 60 s.
	Deadline time.Duration
	// Stderr takes what a driver program says to its user ("touch your key").
	Stderr io.Writer
	// Debugf receives what is decided and why, never an answer; nil drops it.
	Debugf func(format string, args ...any)
}

// UI asks questions. It is safe for use by several goroutines: one question
// stands at a time.
type UI struct {
	opts     Options
	deadline time.Time
	turn     chan struct{} // holds one token: whose question stands
	held     prompter      // the terminal, quiet since a secret was asked; owned by the turn
}

// New returns a UI; the deadline runs from here. Nothing is opened yet.
func New(o Options) *UI {
	if o.Driver == "" {
		o.Driver = "auto"
	}
	if o.Debugf == nil {
		o.Debugf = func(string, ...any) {}
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	u := &UI{opts: o, turn: make(chan struct{}, 1)}
	if o.Deadline > 0 {
		u.deadline = time.Now().Add(o.Deadline)
	}
	return u
}

// IsTerminal reports whether fd is a terminal, a Cygwin or MSYS one included.
func IsTerminal(fd uintptr) bool { return isatty.IsTerminal(fd) || isatty.IsCygwinTerminal(fd) }

// LineLength is how many characters a line of the terminal fd has; 0 where it
// is none, or does not say.
func LineLength(fd uintptr) int {
	n, _, _ := term.GetSize(int(fd))
	return max(n, 0)
}

func noTerminal(format string, args ...any) error {
	return fault.New(fmt.Sprintf(format, args...), "", ErrNoTerminal)
}

// CanAsk returns nil when a question would reach somebody, else an error
// wrapping ErrNoTerminal that says why not. It shows nothing.
func (u *UI) CanAsk() error {
	ps, err := u.prompters(kindSecret)
	if err != nil {
		return err
	}
	closeAll(ps)
	return nil
}

// CanConfirm is CanAsk for Confirm and Choose, which want a terminal.
func (u *UI) CanConfirm() error {
	p, err := u.terminalOnly()
	if err != nil {
		return err
	}
	p.close()
	return nil
}

// Automatic reports whether token codes come from a device that makes the
// same code until its time step is over (ykman), so that asking again at
// once is useless.
func (u *UI) Automatic() bool { return u.opts.Driver == "ykman" && !u.opts.NoInput }

// bounded gives ctx the UI's deadline and takes the turn.
func (u *UI) bounded(ctx context.Context) (context.Context, func(), error) {
	cancel := func() {}
	if !u.deadline.IsZero() {
		ctx, cancel = context.WithDeadlineCause(ctx, u.deadline, ErrTimeout)
	}
	select {
	case u.turn <- struct{}{}:
		return ctx, func() { cancel(); <-u.turn }, nil
	case <-ctx.Done():
		err := ended(ctx)
		cancel()
		return nil, nil, err
	}
}

// ended turns a finished context into the package's errors.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, ErrTimeout) || errors.Is(cause, context.DeadlineExceeded) {
		return ErrTimeout
	}
	return cause
}

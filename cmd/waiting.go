package cmd

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"groat/cmd/terminal"
)

// declined reports that a person would not answer: Ctrl-D, Esc, a closed
// window, Ctrl-C at the prompt.
func declined(err error) bool {
	var s *terminal.SignalError
	return errors.Is(err, terminal.ErrCancelled) || errors.As(err, &s) && s.Signal == os.Interrupt
}

// answerTime is what a person needs at least to see a question and answer it.
const answerTime = 5 * time.Second

// tooLate reports that a question would be gone before anybody could answer.
// Those who waited in vain for the answer to another's would else show theirs
// for a moment, one after the other.
func (a *app) tooLate() bool {
	return a.deadline > answerTime && a.deadline-time.Since(a.started) < answerTime
}

// waitingFor says whom this process waits for to mint for a plan.
func (a *app) waitingFor(p *planned) func(holder string, asking bool) (over func()) {
	return func(holder string, asking bool) func() {
		switch {
		case !asking:
			return a.waiting(holder, "which is getting the same credentials")
		case p.SignsIn():
			return a.waiting(holder, "which is signing in")
		}
		return a.waiting(holder, "which is asking for a token code")
	}
}

// waiting says whom this process waits for. SDKs keep stderr to themselves,
// so that it is said on the terminal device, unless the question that is
// waited for stands there; and on stderr, unless that is a terminal, too.
func (a *app) waiting(holder, doing string) (over func()) {
	line := "waiting for " + holder + ", " + doing
	over, err := a.ui().Notice("groat: " + line)
	if err != nil || !isTerminal(a.streams.Err) {
		a.say(line)
	}
	return over
}

// isTerminal reports whether what is written there reaches a terminal.
func isTerminal(w io.Writer) (is bool) {
	descriptor(w, func(fd uintptr) { is = terminal.IsTerminal(fd) })
	return is
}

// lineLength is how many characters a line of the terminal has that w writes
// to; 0: it is none, or does not say.
func lineLength(w io.Writer) (n int) {
	descriptor(w, func(fd uintptr) { n = terminal.LineLength(fd) })
	return n
}

// descriptor calls do with the file descriptor behind w, if there is one.
func descriptor(w io.Writer, do func(fd uintptr)) {
	if locked, ok := w.(*lockedWriter); ok {
		w = locked.to
	}
	if f, ok := w.(syscall.Conn); ok {
		if raw, err := f.SyscallConn(); err == nil { // not Fd: it may change the mode of a file that others share
			_ = raw.Control(do)
		}
	}
}

// sleep waits; the end of ctx ends it with its cause.
func (a *app) sleep(ctx context.Context, d time.Duration) error {
	if a.wait != nil {
		return a.wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

package cmd

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ number syscall.Signal }

// Error names the signal.
func (e *signalError) Error() string { return e.number.String() }

// withSignals ends the context at SIGINT, SIGTERM and SIGHUP, so that locks
// are released and the terminal is restored on the way out. A second signal
// finds the default action. Broken pipes are told as write errors: the
// answer that could not be written must be a failure with a line, and Notify,
// unlike Ignore, is not inherited by a child.
func withSignals(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	pipe := make(chan os.Signal, 1)
	notifyBrokenPipe(pipe)
	ch := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup's choice stays
			signal.Notify(ch, s)
		}
	}
	done := make(chan struct{})
	go func() {
		select {
		case s := <-ch:
			number, _ := s.(syscall.Signal)
			cancel(&signalError{number})
			signal.Stop(ch)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		signal.Stop(pipe)
		close(done)
		cancel(nil)
	}
}

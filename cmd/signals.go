package cmd

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"groat/provider"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ number syscall.Signal }

// Error names the signal.
func (e *signalError) Error() string { return e.number.String() }

// Is makes Ctrl-C a person's way to decline what is asked at the time.
func (e *signalError) Is(target error) bool {
	return target == provider.ErrCancelled && e.number == syscall.SIGINT
}

// dumping are the signals at which Go's runtime prints the stacks of all
// goroutines, with what they hold, and leaves the terminal as it is.
var dumping = []os.Signal{syscall.SIGQUIT, syscall.SIGABRT}

// withSignals ends the context at SIGINT, SIGTERM, SIGHUP, SIGQUIT (Ctrl-\)
// and SIGABRT, so that locks are released on the way out, and calls restore,
// so that the terminal is as it was even if a second signal cuts the way
// short: it finds the default action, or for those that would dump none.
//
// It does so from the moment heed is called. Until then there is nothing to
// put right and the default action is as good, but for those that would dump:
// they are heeded from the start.
func withSignals(ctx context.Context, restore func()) (_ context.Context, heed, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ch := make(chan os.Signal, 1)
	dropped := make(chan os.Signal) // nobody reads it
	done := make(chan struct{})
	notify := func(ch chan os.Signal, signals ...os.Signal) {
		for _, s := range signals {
			if !signal.Ignored(s) { // nohup's choice stays
				signal.Notify(ch, s)
			}
		}
	}
	notify(ch, dumping...)
	go func() {
		select {
		case s := <-ch:
			number, _ := s.(syscall.Signal)
			cancel(&signalError{number})
			notify(dropped, dumping...)
			restore()
			signal.Stop(ch)
		case <-done:
		}
	}()
	var once sync.Once
	heed = func() { once.Do(func() { notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) }) }
	return ctx, heed, func() {
		once.Do(func() {})
		signal.Stop(ch)
		signal.Stop(dropped)
		close(done)
		cancel(nil)
	}
}

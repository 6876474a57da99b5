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

// withSignals ends the context at SIGINT, SIGTERM and SIGHUP, so that locks
// are released and the terminal is restored on the way out. A second signal
// finds the default action.
//
// It does so from the moment heed is called. Until then there is nothing to
// put right, the default action is as good, and a warm credential process,
// which ends before, is spared the threads that handlers cost.
func withSignals(ctx context.Context) (_ context.Context, heed, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ch := make(chan os.Signal, 1)
	done := make(chan struct{})
	var once sync.Once
	heed = func() {
		once.Do(func() {
			for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
				if !signal.Ignored(s) { // nohup's choice stays
					signal.Notify(ch, s)
				}
			}
			go func() {
				select {
				case s := <-ch:
					number, _ := s.(syscall.Signal)
					cancel(&signalError{number})
					signal.Stop(ch)
				case <-done:
				}
			}()
		})
	}
	return ctx, heed, func() {
		once.Do(func() {})
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}

//go:build unix

package terminal

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// signals are what may end a prompt while it stands, and SIGCONT. They are
// taken for that time alone; a signal that the process was started to ignore
// (nohup) stays ignored.
//
// SIGTSTP is left alone on purpose: once taken, Go's runtime never gives its
// default action back, and Ctrl-Z would be dead for the rest of the process.
type signals struct {
	ch   chan os.Signal
	cont chan os.Signal
}

func watchSignals() *signals {
	s := &signals{ch: make(chan os.Signal, 8), cont: make(chan os.Signal, 1)}
	for _, sig := range []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGABRT} {
		if !signal.Ignored(sig) {
			signal.Notify(s.ch, sig)
		}
	}
	signal.Notify(s.cont, unix.SIGCONT)
	return s
}

func (s *signals) stop() {
	signal.Stop(s.ch)
	signal.Stop(s.cont)
}

// ending returns an ending signal that comes within d, or nil.
func (s *signals) ending(d time.Duration) os.Signal {
	select {
	case sig := <-s.ch:
		return sig
	default:
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case sig := <-s.ch:
		return sig
	case <-t.C:
		return nil
	}
}

// continued reports that the process was stopped and goes on again.
func (s *signals) continued() bool {
	select {
	case <-s.cont:
		return true
	default:
		return false
	}
}

// suspend stops the whole foreground job, as the terminal does at Ctrl-Z,
// and returns when it goes on. An orphaned job has nobody who could continue
// it: the kernel drops the signal, and this returns soon.
func (s *signals) suspend() {
	_ = unix.Kill(0, unix.SIGTSTP)
	select {
	case <-s.cont:
	case <-time.After(2 * tick):
	}
}

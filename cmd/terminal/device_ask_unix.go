//go:build unix

package terminal

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// asking is one question on the terminal, from its first line to its answer.
type asking struct {
	*device
	request
	sig *signals

	shown   bool      // the question is on the screen
	stopped bool      // the job was stopped by Ctrl-Z, some time ago
	behind  time.Time // since when the job is in the background; zero: it is not
	line    []byte    // what was read of the answer
	buf     []byte
}

// ask shows the question and reads one line. The kernel edits the line
// (canonical mode): a code prompt changes no setting of the terminal at all
// where it is in its usual state, so that even a killed process leaves it as
// it was. For a secret the echo goes off, and stays off until close: whoever
// types on while an answer is being checked types a secret.
func (d *device) ask(ctx context.Context, r request) ([]byte, error) {
	q := &asking{device: d, request: r, sig: watchSignals(), buf: make([]byte, 4096)}
	defer q.sig.stop()
	defer withoutJobSignals()()
	defer clear(q.buf)
	answer, err := q.answer(ctx)
	if err != nil {
		if q.shown {
			d.discardInput() // half a secret must not become the shell's next command
		}
		d.mode.leave(d)
		return nil, err
	}
	d.mode.quiet = d.mode.quiet || r.kind == kindSecret
	if !d.mode.quiet {
		d.mode.leave(d)
	} else if err := d.mode.enter(d, true); err != nil {
		return nil, d.failed(err)
	}
	return answer, nil
}

// answer waits for the answer while it minds signals, the context and the
// terminal's foreground.
func (q *asking) answer(ctx context.Context) ([]byte, error) {
	for {
		if err := q.over(ctx); err != nil {
			if q.shown {
				q.farewell()
			}
			return nil, err
		}
		if q.sig.continued() { // the shell may have set the terminal anew
			q.takeBack()
		}
		here, err := q.inForeground()
		if err == nil && here {
			here, err = q.show(ctx)
		}
		if err != nil {
			return nil, err
		}
		if !here {
			sleep(ctx, tick)
			continue
		}
		if done, err := q.read(ctx); done || err != nil {
			return q.line, err
		}
	}
}

// over says why nobody is to be asked any more; nil: go on.
func (q *asking) over(ctx context.Context) error {
	s := q.sig.ending(0)
	if s == nil && ctx.Err() != nil {
		s = q.sig.ending(tick / 2) // the caller may have ended ctx at the same signal
	}
	switch {
	case s != nil:
		return &SignalError{Signal: s}
	case ctx.Err() != nil:
		return ended(ctx)
	}
	return nil
}

// takeBack restores the terminal for a stopped job; the question will be
// shown again.
func (q *asking) takeBack() {
	q.mode.leave(q.device)
	q.shown, q.stopped = false, true
}

// inForeground reports whether this job has the terminal. While it has not,
// the terminal is left to whoever has; for how long is bounded.
func (q *asking) inForeground() (bool, error) {
	if q.foreground() {
		q.behind = time.Time{}
		return true, nil
	}
	if gone := q.gone(); gone != nil {
		return false, gone
	}
	if q.behind.IsZero() {
		q.mode.leave(q.device)
		q.behind = time.Now()
	} else if away := time.Since(q.behind); away > backgroundBound || away > abandonedBound && !q.stopped {
		return false, noTerminal("this process lost the terminal's foreground")
	}
	q.shown = false
	return false, nil
}

// show puts the question on the screen, unless it is there. It reports false
// while another process of this job asks.
func (q *asking) show(ctx context.Context) (bool, error) {
	if q.shown {
		return true, nil
	}
	if ok, err := q.lock.tryAcquire(q.fd); err != nil || !ok {
		return false, err
	}
	if err := q.mode.enter(q.device, q.kind == kindSecret); err != nil {
		return false, q.failed(err)
	}
	q.shown = true
	if !q.Pasted || q.stopped {
		q.discardInput() // it was typed for something else
	}
	clear(q.line)
	q.line = q.line[:0]
	if q.stopped {
		q.Again = false // the shell has written since
	}
	if err := q.write(ctx, screenText(q.request)); err != nil {
		return false, q.failed(err)
	}
	return true, nil
}

// read takes what is typed within a tick, and reports whether the line is
// complete: it is then q.line.
func (q *asking) read(ctx context.Context) (done bool, err error) {
	ready, hup, err := waitReadable(q.fd, tick)
	if err != nil {
		return false, q.failed(err)
	}
	if !ready && !hup {
		return false, nil
	}
	n, err := unix.Read(q.fd, q.buf)
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN) && !hup:
		return false, nil
	case errors.Is(err, unix.EIO) && !q.foreground() && q.gone() == nil:
		return false, nil // lost the foreground between the look and the read
	case err != nil:
		return false, q.failed(err)
	case n == 0 && (hup || q.gone() != nil):
		return false, noTerminal("the terminal was closed")
	case n == 0: // Ctrl-D, alone or again after what it has sent off
		_ = q.write(ctx, "\n")
		return false, ErrCancelled
	}
	q.line = append(q.line, q.buf[:n]...)
	return q.complete(ctx)
}

// complete looks at how the typed part ends: with Enter the line is done,
// with the key that stops the job the job stops.
func (q *asking) complete(ctx context.Context) (done bool, err error) {
	last := len(q.line) - 1
	switch {
	case q.line[last] == q.mode.suspend && q.mode.suspend != disabledChar:
		q.takeBack()
		_ = q.write(ctx, "\n")
		q.sig.suspend()
		return false, nil
	case q.line[last] != '\n':
		return false, nil
	}
	q.line = q.line[:last]
	if q.kind == kindSecret {
		_ = q.write(ctx, "\n")
	}
	if escaped(q.line) {
		return false, ErrCancelled
	}
	return true, nil
}

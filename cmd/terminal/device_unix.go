//go:build unix

package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How the device is watched while somebody is asked.
const (
	tick = 100 * time.Millisecond // how soon a signal, a cancellation or a deadline is noticed
	// foregroundWait covers a shell that starts a job before it has given it
	// the terminal; a background job gets its answer within it.
	foregroundWait = 300 * time.Millisecond
	// backgroundBound ends a question that was put into the background, by
	// Ctrl-Z and bg; abandonedBound one that lost the foreground without
	// being stopped: whoever started us was killed, and the shell went on.
	backgroundBound = 60 * time.Second
	abandonedBound  = time.Second
)

// device is the controlling terminal, opened anew for every question, so
// that its flags (O_NONBLOCK) are shared with nobody.
type device struct {
	fd   int
	lock terminalLock
}

// openDevice opens /dev/tty. It is an ErrNoTerminal where there is no
// controlling terminal, or where this process runs in its background.
func openDevice() (prompter, error) {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) {
			return nil, noTerminal("there is no terminal")
		}
		return nil, noTerminal("the terminal cannot be opened (%v)", err)
	}
	d := &device{fd: fd}
	for waited := time.Duration(0); !d.foreground(); waited += tick / 4 {
		if waited >= foregroundWait {
			d.close()
			return nil, &NoTerminalError{Why: "this process is in the terminal's background", Remedy: "run it in the foreground"}
		}
		time.Sleep(tick / 4)
	}
	return d, nil
}

func (d *device) name() string { return "terminal" }

func (d *device) close() {
	d.lock.release()
	_ = unix.Close(d.fd)
}

func (d *device) foreground() bool {
	pgrp, err := unix.IoctlGetInt(d.fd, unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}

// ask shows the question and reads one line. The kernel edits the line
// (canonical mode): a code prompt changes no setting of the terminal at all
// where it is in its usual state, so that even a killed process leaves it as
// it was. For a secret only the echo goes off.
func (d *device) ask(ctx context.Context, r request) (answer []byte, err error) {
	sig := watchSignals()
	defer sig.stop()
	defer withoutJobSignals()()
	m := mode{d: d, hidden: r.kind == kindSecret}
	defer func() {
		if err != nil {
			m.discardInput() // half a secret must not become the shell's next command
		}
		m.leave()
	}()
	var line []byte
	fresh := true    // the question is to be shown (again)
	stopped := false // by Ctrl-Z, some time ago
	buf := make([]byte, 4096)
	defer clear(buf)
	var behind time.Time
	for {
		s := sig.ending(0)
		if s == nil && ctx.Err() != nil {
			s = sig.ending(tick / 2) // the caller may have ended ctx at the same signal
		}
		if s != nil {
			d.farewell(m)
			return nil, &SignalError{Signal: s}
		}
		if ctx.Err() != nil {
			d.farewell(m)
			return nil, ended(ctx)
		}
		if sig.continued() { // the shell may have set the terminal anew
			m.leave()
			fresh, stopped = true, true
		}
		if !d.foreground() {
			if gone := d.gone(); gone != nil {
				return nil, gone
			}
			if behind.IsZero() {
				m.leave()
				behind = time.Now()
			} else if away := time.Since(behind); away > backgroundBound || away > abandonedBound && !stopped {
				return nil, noTerminal("this process lost the terminal's foreground")
			}
			fresh = true
			sleep(ctx, tick)
			continue
		}
		behind = time.Time{}
		if fresh {
			if ok, err := d.lock.tryAcquire(d.fd); err != nil || !ok {
				if err != nil {
					return nil, err
				}
				sleep(ctx, tick)
				continue
			}
			if err := m.enter(); err != nil {
				return nil, d.failed(err)
			}
			clear(line)
			line = line[:0]
			if err := d.write(ctx, screenText(r)); err != nil {
				return nil, d.failed(err)
			}
			fresh = false
		}
		ready, hup, err := waitReadable(d.fd, tick)
		if err != nil {
			return nil, d.failed(err)
		}
		if !ready && !hup {
			continue
		}
		n, err := unix.Read(d.fd, buf)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN) && !hup:
			continue
		case errors.Is(err, unix.EIO) && !d.foreground() && d.gone() == nil:
			continue // lost the foreground between the look and the read
		case err != nil:
			return nil, d.failed(err)
		case n == 0 && (hup || d.gone() != nil):
			return nil, noTerminal("the terminal was closed")
		case n == 0: // Ctrl-D, alone or again after what it has sent off
			_ = d.write(ctx, "\n")
			return nil, ErrCancelled
		}
		line = append(line, buf[:n]...)
		if i := len(line) - 1; m.hidden && line[i] == m.suspend && m.suspend != disabledChar {
			m.leave()
			_ = d.write(ctx, "\n")
			sig.suspend()
			fresh, stopped = true, true
		} else if line[i] == '\n' {
			line = line[:i]
			if m.hidden {
				_ = d.write(ctx, "\n")
			}
			if escaped(line) {
				return nil, ErrCancelled
			}
			return line, nil
		}
	}
}

// farewell ends the prompt's line on the screen.
func (d *device) farewell(m mode) {
	if m.shown && d.foreground() {
		ctx, cancel := context.WithTimeout(context.Background(), tick)
		defer cancel()
		_ = d.write(ctx, "\n")
	}
}

// gone says whether the terminal has vanished (hang-up, pty closed).
func (d *device) gone() error {
	if _, err := unix.IoctlGetInt(d.fd, unix.TIOCGPGRP); errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENOTTY) {
		return noTerminal("the terminal was closed")
	}
	return nil
}

func (d *device) failed(err error) error {
	if e := d.gone(); e != nil {
		return e
	}
	if final(err) {
		return err
	}
	return noTerminal("the terminal does not work (%v)", err)
}

// write writes all of s; a terminal that is stopped by Ctrl-S delays it
// until ctx ends.
func (d *device) write(ctx context.Context, s string) error {
	for b := []byte(s); len(b) > 0; {
		n, err := unix.Write(d.fd, b)
		switch {
		case n > 0:
			b = b[n:]
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if ctx.Err() != nil {
				return ended(ctx)
			}
			sleep(ctx, tick)
		case err != nil:
			return fmt.Errorf("could not write to the terminal: %w", err)
		default:
			return os.ErrClosed
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// tell shows text and asks nothing.
func (d *device) tell(ctx context.Context, text string) error {
	if err := d.write(ctx, text); err != nil {
		return d.failed(err)
	}
	return nil
}

// notice shows text unless a question or another notice stands.
func (d *device) notice(ctx context.Context, text string) error {
	if !d.lock.tryNotice(d.fd) {
		return nil
	}
	return d.tell(ctx, text)
}

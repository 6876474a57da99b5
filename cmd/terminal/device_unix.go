//go:build unix

package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"groat/vault/fault"
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

// device is the controlling terminal, opened anew for every run of questions,
// so that its flags (O_NONBLOCK) are shared with nobody.
type device struct {
	fd   int
	lock terminalLock
	mode mode
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
			return nil, fault.New("this process is in the terminal's background", "run it in the foreground", ErrNoTerminal)
		}
		time.Sleep(tick / 4)
	}
	return d, nil
}

func (d *device) name() string { return "terminal" }

// quiet reports that the echo is off until close: what is typed before the
// next question may be a secret, too.
func (d *device) quiet() bool { return d.mode.quiet }

func (d *device) close() {
	if d.mode.quiet {
		defer withoutJobSignals()()
		d.discardInput() // nobody saw it, so it was meant for us and not for the shell
		d.mode.leave(d)
	}
	d.lock.release()
	_ = unix.Close(d.fd)
}

func (d *device) foreground() bool {
	pgrp, err := unix.IoctlGetInt(d.fd, unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}

// farewell ends the prompt's line on the screen.
func (d *device) farewell() {
	if d.foreground() {
		ctx, cancel := context.WithTimeout(context.Background(), tick)
		defer cancel()
		_ = d.write(ctx, "\n")
	}
}

// discardInput throws away what was typed and not read.
func (d *device) discardInput() {
	if d.foreground() {
		_ = flushInput(d.fd)
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

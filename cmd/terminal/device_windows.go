package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// device is the console of this process, CONIN$ and CONOUT$.
type device struct {
	in, out *os.File
	before  uint32 // the console's mode as it was found, once changed
	changed bool
	held    bool // the echo stays off after the answer
}

func openDevice() (prompter, error) {
	in, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, noTerminal("there is no console")
	}
	out, err := os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		_ = in.Close()
		return nil, noTerminal("there is no console")
	}
	return &device{in: in, out: out}, nil
}

func (d *device) name() string { return "terminal" }

// quiet reports that the echo is off until close: what is typed before the
// next question may be a secret, too.
func (d *device) quiet() bool { return d.held }

// setMode switches the console's own line editing on, with echo unless hidden.
func (d *device) setMode(h windows.Handle, hidden bool) error {
	if !d.changed {
		if err := windows.GetConsoleMode(h, &d.before); err != nil {
			return err
		}
		d.changed = true
	}
	during := d.before | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_ECHO_INPUT
	if hidden {
		during &^= windows.ENABLE_ECHO_INPUT
	}
	return windows.SetConsoleMode(h, during)
}

func (d *device) restore(h windows.Handle) {
	if d.changed {
		_ = windows.SetConsoleMode(h, d.before)
	}
	d.changed, d.held = false, false
}

func (d *device) close() {
	h := windows.Handle(d.in.Fd())
	if d.held {
		_ = windows.FlushConsoleInputBuffer(h) // nobody saw it, so it was not meant for the shell
	}
	d.restore(h)
	_ = d.in.Close()
	_ = d.out.Close()
}

// ask shows the question and reads one line, edited by the console itself.
// After a secret the echo stays off until close.
func (d *device) ask(ctx context.Context, r request) (_ []byte, err error) {
	h := windows.Handle(d.in.Fd())
	if err := d.setMode(h, r.kind == kindSecret); err != nil {
		return nil, noTerminal("the console does not work (%v)", err)
	}
	defer func() {
		d.held = err == nil && (d.held || r.kind == kindSecret)
		if !d.held || d.setMode(h, true) != nil {
			d.restore(h)
		}
	}()
	if !r.Pasted {
		_ = windows.FlushConsoleInputBuffer(h) // it was typed for something else
	}
	sig := make(chan os.Signal, 2)
	signal.Notify(sig, os.Interrupt)
	defer signal.Stop(sig)
	if _, err := d.out.WriteString(screenText(r)); err != nil {
		return nil, noTerminal("the console cannot be written to (%v)", err)
	}
	type answer struct {
		line []byte
		err  error
	}
	got := make(chan answer, 1)
	go func() { // a console read cannot be bounded in time: it is given up with the process
		line, err := readLine(d.in)
		got <- answer{line, err}
	}()
	end := func(err error) ([]byte, error) {
		_ = windows.CancelIoEx(h, nil)
		_, _ = d.out.WriteString("\r\n")
		return nil, err
	}
	select {
	case s := <-sig:
		return end(&SignalError{Signal: s})
	case <-ctx.Done():
		return end(ended(ctx))
	case a := <-got:
		if a.err != nil || len(a.line) == 0 { // Ctrl-C ends the read before the signal is told
			select {
			case s := <-sig:
				return end(&SignalError{Signal: s})
			case <-time.After(100 * time.Millisecond):
			}
		}
		if r.kind == kindSecret {
			_, _ = d.out.WriteString("\r\n")
		}
		switch {
		case errors.Is(a.err, io.EOF): // Ctrl-Z
			return nil, ErrCancelled
		case a.err != nil:
			return nil, noTerminal("the console cannot be read (%v)", a.err)
		case escaped(a.line):
			return nil, ErrCancelled
		}
		return a.line, nil
	}
}

// readLine reads up to and without the line's end, a byte at a time so that
// nothing after it is taken.
func readLine(f io.Reader) ([]byte, error) {
	var line []byte
	b := make([]byte, 1)
	for {
		n, err := f.Read(b)
		if n == 1 {
			switch b[0] {
			case '\n':
				return line, nil
			case '\r':
			default:
				line = append(line, b[0])
			}
			continue
		}
		if err != nil {
			return line, err
		}
		return line, io.EOF
	}
}

// tell shows text and asks nothing.
func (d *device) tell(_ context.Context, text string) error {
	if _, err := d.out.WriteString(strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		return noTerminal("the console cannot be written to (%v)", err)
	}
	return nil
}

// notice shows text; what else stands on the console is not known.
func (d *device) notice(ctx context.Context, text string) error { return d.tell(ctx, text) }

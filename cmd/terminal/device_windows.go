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
type device struct{ in, out *os.File }

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
	return &device{in, out}, nil
}

func (d *device) name() string { return "terminal" }

func (d *device) close() {
	_ = d.in.Close()
	_ = d.out.Close()
}

// ask shows the question and reads one line, edited by the console itself.
func (d *device) ask(ctx context.Context, r request) ([]byte, error) {
	h := windows.Handle(d.in.Fd())
	var before uint32
	if err := windows.GetConsoleMode(h, &before); err != nil {
		return nil, noTerminal("the console does not work (%v)", err)
	}
	during := before | windows.ENABLE_LINE_INPUT | windows.ENABLE_PROCESSED_INPUT | windows.ENABLE_ECHO_INPUT
	if r.kind == kindSecret {
		during &^= windows.ENABLE_ECHO_INPUT
	}
	sig := make(chan os.Signal, 2)
	signal.Notify(sig, os.Interrupt)
	defer signal.Stop(sig)
	if during != before {
		if err := windows.SetConsoleMode(h, during); err != nil {
			return nil, noTerminal("the console does not work (%v)", err)
		}
		defer func() { _ = windows.SetConsoleMode(h, before) }()
	}
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

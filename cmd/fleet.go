package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/provider"
	"groat/session"
)

// fleet runs one command for many profiles, some at a time.
type fleet struct {
	a        *app
	program  command
	names    []string
	minting  minting
	jobs     int
	failFast bool

	mint    sync.Mutex // minting is one at a time: one code serves all that share a device
	mu      sync.Mutex // guards what follows, and keeps lines of output whole
	outcome []outcome
	ended   int
	stopped error // why no more are started; nil: go on
	outErr  error // the first failure to write to stdout
}

// outcome is what became of one profile's command.
type outcome struct {
	status childStatus
	err    error // it did not run
}

func newFleet(a *app, program command, names []string) *fleet {
	a.streams.Err = &lockedWriter{to: a.streams.Err} // minting warns while commands print
	f := &fleet{a: a, program: program, names: names, outcome: make([]outcome, len(names))}
	for i := range f.outcome {
		f.outcome[i].err = errNotRun
	}
	return f
}

// run runs them all and tells at the end what failed. Its error is silent:
// everything has been said.
func (f *fleet) run(ctx context.Context) error {
	soften()
	defer noCore()
	var g errgroup.Group
	g.SetLimit(f.jobs)
	for i := range f.names {
		g.Go(func() error {
			f.one(ctx, i)
			return nil
		})
	}
	_ = g.Wait()
	if f.outErr != nil {
		return outputError(f.outErr)
	}
	return f.summary(ctx)
}

// one mints for a profile and runs the command.
func (f *fleet) one(ctx context.Context, i int) {
	name := f.names[i]
	creds, plan, err := f.credentials(ctx, name)
	if errors.Is(err, errNotRun) {
		return
	}
	var status childStatus
	if err == nil {
		status, err = f.start(ctx, i, child.Env{Profile: name, Region: plan.Region, Credentials: creds})
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcome[i] = outcome{status, err}
	f.ended++
	at := fmt.Sprintf("[%d/%d] %s: ", f.ended, len(f.names), quote(name))
	switch {
	case err != nil:
		f.a.say(at + withHint(err))
	default:
		f.a.say(at + status.String())
	}
	if f.failFast && (err != nil || status.Code != 0) {
		f.stopped = errNotRun
	}
}

// withHint is an error and its remedy in one line.
func withHint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) && hinted.Hint() != "" {
		return err.Error() + "; " + hinted.Hint()
	}
	return err.Error()
}

func (f *fleet) credentials(ctx context.Context, name string) (session.Credentials, *provider.Plan, error) {
	f.mint.Lock()
	defer f.mint.Unlock()
	f.mu.Lock()
	stopped := f.stopped != nil || f.outErr != nil
	f.mu.Unlock()
	if stopped || ctx.Err() != nil {
		return session.Credentials{}, nil, errNotRun
	}
	creds, plan, err := f.a.mint(ctx, name, f.minting)
	// Nobody is asked again and again: who declined once has declined. The
	// next one waits for f.mint and must see it.
	if errors.Is(err, provider.ErrNoCode) || errors.Is(err, provider.ErrCancelled) || errors.Is(err, provider.ErrInterrupted) {
		f.mu.Lock()
		f.stopped = err
		f.mu.Unlock()
	}
	return creds, plan, err
}

// start runs the command with its output line by line behind the profile's
// name. It reads nothing: there is one terminal and many commands.
func (f *fleet) start(ctx context.Context, i int, env child.Env) (childStatus, error) {
	out := &prefixed{f: f, to: f.a.streams.Out, prefix: f.prefix(i), data: true}
	errs := &prefixed{f: f, to: f.a.streams.Err, prefix: f.prefix(i)}
	c := exec.CommandContext(ctx, f.program.Path, f.program.Args[1:]...)
	c.Args[0] = f.program.Args[0]
	c.Env = env.Environ(f.a.environ)
	c.Stdout, c.Stderr = out, errs
	c.SysProcAttr = dieWithParent()
	// At a terminal Ctrl-C has reached the command already; a second signal
	// would make some (terraform) give up at once.
	c.Cancel = func() error { return passOn(context.Cause(ctx), c.Process) }
	err := c.Run()
	out.flush()
	errs.flush()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil // it ended well although it was told to stop
	}
	status, err := statusOf(err)
	if err != nil {
		return childStatus{}, fmt.Errorf("could not run it: %w", plainReason(err))
	}
	return status, nil
}

// passOn sends a signal on unless the terminal has sent it to all.
func passOn(cause error, p *os.Process) error {
	var s *signalError
	if !errors.As(cause, &s) {
		return p.Kill()
	}
	if sentByTerminal(s.number) {
		return nil
	}
	return p.Signal(s.number)
}

// prefix is the profile's name, as wide as the widest of all.
func (f *fleet) prefix(i int) string {
	width := 0
	for _, name := range f.names {
		width = max(width, utf8.RuneCountInString(terminal.Sanitize(name)))
	}
	return fmt.Sprintf("%-*s | ", width, terminal.Sanitize(f.names[i]))
}

// summary says how many succeeded and which did not.
func (f *fleet) summary(ctx context.Context) error {
	good := 0
	var first error
	var failed []string
	for i, o := range f.outcome {
		switch {
		case o.err == nil && o.status.Code == 0:
			good++
			continue
		case o.err != nil && !errors.Is(o.err, errNotRun):
			failed = append(failed, f.names[i]+" (no credentials)")
			if first == nil {
				first = o.err
			}
		case o.err != nil:
			failed = append(failed, f.names[i]+" (not run)")
		default:
			failed = append(failed, fmt.Sprintf("%s (%s)", f.names[i], o.status))
		}
	}
	f.a.say(fmt.Sprintf("%d of %d succeeded", good, len(f.names)))
	for _, line := range failed {
		f.a.say("failed: " + line)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case first != nil:
		return exitStatus(exitCode(ctx, first))
	case len(failed) > 0:
		return exitStatus(exitFailure)
	}
	return nil
}

// String is how a summary shows it.
func (s childStatus) String() string {
	if s.Signal != 0 {
		return fmt.Sprintf("killed by signal %d", s.Signal)
	}
	return fmt.Sprintf("exit %d", s.Code)
}

// prefixed writes whole lines behind a prefix.
type prefixed struct {
	f      *fleet
	to     io.Writer
	prefix string
	data   bool // stdout: what cannot be written is a failure
	rest   []byte
}

// Write keeps what has no line end yet.
func (p *prefixed) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		i := bytes.IndexByte(p.rest, '\n')
		if i < 0 {
			if len(p.rest) > maxLine {
				p.flush()
			}
			return len(b), nil
		}
		if err := p.line(p.rest[:i+1]); err != nil {
			return len(b), err
		}
		p.rest = p.rest[i+1:]
	}
}

// maxLine is when a line is written although it has no end yet.
const maxLine = 1 << 20

// flush ends a last line that the command did not end.
func (p *prefixed) flush() {
	if len(p.rest) > 0 {
		_ = p.line(append(p.rest, '\n'))
		p.rest = nil
	}
}

func (p *prefixed) line(line []byte) error {
	p.f.mu.Lock()
	defer p.f.mu.Unlock()
	_, err := p.to.Write(append([]byte(p.prefix), line...))
	if err != nil && p.data && p.f.outErr == nil {
		p.f.outErr = err
	}
	return err
}

// lockedWriter lets several goroutines write to one stream.
type lockedWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes under the lock.
func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

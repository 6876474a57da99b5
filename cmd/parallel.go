package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/provider"
	"groat/session"
	"groat/vault/fault"
)

// parallel runs one command for many profiles, some at a time.
type parallel struct {
	a        *app
	program  command
	names    []string
	minting  minting
	jobs     int
	failFast bool

	planning sync.Mutex
	asking   sync.Mutex // see turn
	mu       sync.Mutex // guards what follows, and keeps lines of output whole
	outcome  []outcome
	ended    int
	stopped  error // why no more are started; nil: go on
	outErr   error // the first failure to write to stdout
}

// outcome is what became of one profile's command.
type outcome struct {
	status childStatus
	err    error // it did not run
}

func newParallel(a *app, program command, names []string) *parallel {
	a.streams.Err = &lockedWriter{to: a.streams.Err} // minting warns while commands print
	f := &parallel{a: a, program: program, names: names, outcome: make([]outcome, len(names))}
	for i := range f.outcome {
		f.outcome[i].err = errNotRun
	}
	return f
}

// run runs them all and tells at the end what failed. Its error is silent:
// everything has been said.
func (f *parallel) run(ctx context.Context) error {
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
func (f *parallel) one(ctx context.Context, i int) {
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
	if hint := fault.Hint(err); hint != "" {
		return err.Error() + "; " + hint
	}
	return err.Error()
}

// credentials mints for a profile. Plans are made and vaults opened one at a
// time, and so are questions; all that calls AWS goes side by side.
func (f *parallel) credentials(ctx context.Context, name string) (session.Credentials, *planned, error) {
	turn := &turn{f: f}
	defer turn.end()
	creds, plan, err := f.a.mintBy(ctx, func() (*planned, *provider.Minter, error) {
		f.planning.Lock()
		defer f.planning.Unlock()
		if f.over(ctx) != nil {
			return nil, nil, errNotRun
		}
		defer f.a.prompts.release()
		plan, minter, err := f.a.prepare(ctx, name, f.minting)
		if err != nil {
			return nil, nil, f.stopIfDeclined(err)
		}
		minter.Codes, minter.SignIn = turnCodes{turn, minter.Codes}, turnSignIn{minter.SignIn, turn}
		return plan, minter, nil
	})
	err = f.stopIfDeclined(err)
	if over := f.over(ctx); over != nil && !errors.Is(err, over) {
		return session.Credentials{}, nil, errNotRun
	}
	return creds, plan, err
}

// over is why no more are started; nil: go on.
func (f *parallel) over(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return cmp.Or(f.stopped, f.outErr, ctx.Err())
}

// stopIfDeclined makes an unanswered question the end of all, and marks it as
// the one that was: others learn of it as of another process's.
func (f *parallel) stopIfDeclined(err error) error {
	for _, class := range []error{provider.ErrNoCode, provider.ErrCancelled, provider.ErrInterrupted, terminal.ErrCancelled, terminal.ErrInterrupted} {
		if !errors.Is(err, class) {
			continue
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.stopped == nil {
			err = fmt.Errorf("%w", err)
			f.stopped = err
		}
		return err
	}
	return err
}

// start runs the command with its output line by line behind the profile's
// name. It reads nothing: there is one terminal and many commands.
func (f *parallel) start(ctx context.Context, i int, env child.Env) (childStatus, error) {
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
	err := child.Prepare(c)
	if err == nil {
		err = c.Run()
	}
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
func (f *parallel) prefix(i int) string {
	width := 0
	for _, name := range f.names {
		width = max(width, utf8.RuneCountInString(terminal.Sanitize(name)))
	}
	return fmt.Sprintf("%-*s | ", width, terminal.Sanitize(f.names[i]))
}

// summary says how many succeeded and which did not.
func (f *parallel) summary(ctx context.Context) error {
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

// maxLine is when a line is written although it has no end yet.
const maxLine = 1 << 20

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/provider/profile"
)

// personCodes asks a person for token codes.
type personCodes struct{ a *app }

// TokenCode shows who asks and for what. Asked again, a security key would
// make the same code until its time step is over: then it is waited for.
func (p personCodes) TokenCode(ctx context.Context, req provider.CodeRequest) (string, error) {
	ui := p.a.ui()
	if req.Reason != "" && ui.Automatic() {
		left := provider.UntilNextCode(p.a.now())
		p.a.say(fmt.Sprintf("%s, waiting %d s for the next code", req.Reason, int(left.Round(time.Second).Seconds())))
		if err := p.a.sleep(ctx, left); err != nil {
			return "", err
		}
	}
	if p.a.tooLate() {
		return "", p.unanswered(req, terminal.ErrTimeout)
	}
	code, err := ui.Code(ctx, terminal.Question{
		Title: "Enter token for " + req.MFASerial,
		Details: []terminal.Detail{
			{Name: "profile", Value: req.Profile},
			{Name: "role", Value: req.RoleARN},
			{Name: terminal.SerialDetail, Value: req.MFASerial},
		},
		Reason: req.Reason,
	})
	switch {
	case err == nil:
		return code, nil
	case errors.Is(err, terminal.ErrInterrupted) && declined(err):
		return "", &sayError{provider.ErrCancelled.Error(), "", errors.Join(provider.ErrCancelled, provider.ErrInterrupted, err)}
	case errors.Is(err, terminal.ErrInterrupted):
		return "", errors.Join(provider.ErrInterrupted, err)
	case errors.Is(err, terminal.ErrCancelled):
		return "", provider.ErrCancelled
	}
	return "", p.unanswered(req, err)
}

// unanswered says what to do when nobody could or did answer.
func (p personCodes) unanswered(req provider.CodeRequest, err error) error {
	return &sayError{
		msg:   fmt.Sprintf("a token code of %s is needed: %v", req.MFASerial, err),
		hint:  p.a.askInTerminal(req.Profile),
		class: provider.ErrNoCode,
	}
}

// askInTerminal is what to run where a person can answer: it leaves the very
// session in the cache that is wanted here, so it takes the flags along.
func (a *app) askInTerminal(profile string) string {
	line := "run in a terminal: groat exec " + shellWord(profile)
	for _, flag := range a.given {
		if flag == "--no-cache" {
			return "give --mfa-code, or leave --no-cache out"
		}
		line += " " + shellWord(flag)
	}
	// Where a variable or config.json forbids to ask, it does so there, too.
	if a.cli.NoInput && a.settings.from["no-input"] != "" {
		line += " --no-input=false"
	}
	if a.cli.Prompt == "none" && a.settings.from["prompt"] != "" {
		line += " --prompt=auto"
	}
	return line + " -- true"
}

// answerTime is what a person needs at least to see a question and answer it.
const answerTime = 5 * time.Second

// tooLate reports that a question would be gone before anybody could answer.
// Those who waited in vain for the answer to another's would else show theirs
// for a moment, one after the other.
func (a *app) tooLate() bool {
	return a.deadline > answerTime && a.deadline-time.Since(a.started) < answerTime
}

// waitingFor says whom this process waits for to mint for a plan.
func (a *app) waitingFor(p *provider.Plan) func(holder string, asking bool) (over func()) {
	return func(holder string, asking bool) func() {
		switch {
		case !asking:
			return a.waiting(holder, "which is getting the same credentials")
		case p.Source.Kind == profile.SourceSSO:
			return a.waiting(holder, "which is waiting for somebody to sign in")
		}
		return a.waiting(holder, "which is asking for a token code")
	}
}

// waiting says whom this process waits for. SDKs keep stderr to themselves,
// so that it is said on the terminal device, unless the question that is
// waited for stands there; and on stderr, unless that is a terminal, too.
func (a *app) waiting(holder, doing string) (over func()) {
	line := "waiting for " + holder + ", " + doing
	over, err := a.ui().Notice("groat: " + line)
	if err != nil || !isTerminal(a.streams.Err) {
		a.say(line)
	}
	return over
}

// isTerminal reports whether what is written there reaches a terminal.
func isTerminal(w io.Writer) bool {
	if locked, ok := w.(*lockedWriter); ok {
		w = locked.to
	}
	f, ok := w.(syscall.Conn)
	if !ok {
		return false
	}
	is := false
	raw, err := f.SyscallConn() // not Fd: it may change the mode of a file that others share
	if err == nil {
		err = raw.Control(func(fd uintptr) { is = terminal.IsTerminal(fd) })
	}
	return err == nil && is
}

// sleep waits; the end of ctx ends it with its cause.
func (a *app) sleep(ctx context.Context, d time.Duration) error {
	if a.wait != nil {
		return a.wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"groat/cmd/terminal"
	"groat/provider"
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
	case errors.Is(err, terminal.ErrInterrupted):
		return "", errors.Join(provider.ErrInterrupted, err)
	case errors.Is(err, terminal.ErrCancelled):
		return "", provider.ErrCancelled
	}
	return "", &sayError{
		msg:   fmt.Sprintf("a token code of %s is needed: %v", req.MFASerial, err),
		hint:  "run in a terminal: groat exec " + req.Profile + " -- true",
		class: provider.ErrNoCode,
	}
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

package cmd

import (
	"context"
	"errors"
	"fmt"

	"groat/cmd/terminal"
	"groat/provider"
)

// personCodes asks a person for token codes.
type personCodes struct{ a *app }

// TokenCode shows who asks and for what.
func (p personCodes) TokenCode(ctx context.Context, req provider.CodeRequest) (string, error) {
	code, err := p.a.ui().Code(ctx, terminal.Question{
		Title: "Enter token for " + req.MFASerial,
		Details: []terminal.Detail{
			{Name: "profile", Value: req.Profile},
			{Name: "role", Value: req.RoleARN},
			{Name: "device", Value: req.MFASerial},
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

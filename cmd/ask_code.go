package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/vault/fault"
	"groat/vault/files"
)

// personCodes asks a person for token codes.
type personCodes struct{ *prompts }

// TokenCode shows who asks and for what. Asked again, a security key would
// make the same code until its time step is over: then it is waited for.
func (p personCodes) TokenCode(ctx context.Context, req provider.CodeRequest) (string, error) {
	ui := p.ui()
	if req.Reason != "" && ui.Automatic() {
		left := provider.UntilNextCode(p.now())
		p.say(fmt.Sprintf("%s, waiting %d s for the next code", req.Reason, int(left.Round(time.Second).Seconds())))
		if err := p.sleep(ctx, left); err != nil {
			return "", err
		}
	}
	if p.tooLate() {
		return "", p.unanswered(req, terminal.ErrTimeout)
	}
	q := terminal.Question{
		Title: "AWS wants a token code of your MFA device",
		Details: []terminal.Detail{
			{Name: "profile", Value: req.Profile},
			{Name: "role", Value: req.RoleARN},
			{Name: terminal.SerialDetail, Value: req.MFASerial},
		},
		Reason: req.Reason,
		Again:  req.Reason != "",
	}
	code, err := ui.Code(ctx, q)
	if err == nil {
		return code, nil
	}
	if ended := endedQuestion(err); ended != nil {
		return "", ended
	}
	return "", p.unanswered(req, err)
}

// endedQuestion is how a person ended a question, as package provider knows
// it; nil where nobody could or did answer.
func endedQuestion(err error) error {
	switch {
	case errors.Is(err, terminal.ErrInterrupted) && declined(err):
		return fault.New(provider.ErrCancelled.Error(), "", errors.Join(provider.ErrCancelled, provider.ErrInterrupted, err))
	case errors.Is(err, terminal.ErrInterrupted):
		return errors.Join(provider.ErrInterrupted, err)
	case errors.Is(err, terminal.ErrCancelled):
		return provider.ErrCancelled
	}
	return nil
}

// unanswered says what to do when nobody could or did answer.
func (p personCodes) unanswered(req provider.CodeRequest, err error) error {
	return p.needsPerson(fmt.Sprintf("a token code of %s is needed: %v", req.MFASerial, err), req.Profile)
}

// needsPerson is the error where nobody can answer, for a command that leaves
// the very session in the cache that is wanted here: it takes the flags along.
func (p *prompts) needsPerson(why, profile string) error {
	if slices.Contains(p.given, given{"--no-cache", true}) {
		return fault.New(why, "give --mfa-code, or leave --no-cache out", provider.ErrNoCode)
	}
	return p.inTerminal(why, "groat exec "+files.Word(profile), p.given, " -- true")
}

// inTerminal is the error that begins with what to run where somebody is,
// since SDKs cut the line off.
func (p *prompts) inTerminal(why, command string, flags []given, end string) error {
	line := "run in a terminal: " + command
	for _, flag := range flags {
		line += " " + files.Word(flag.word)
	}
	// Where a variable or config.json forbids to ask, it does so there, too.
	if p.flags.NoInput && p.settings.from["no-input"] != "" {
		line += " --no-input=false"
	}
	if p.flags.Prompt == "none" && p.settings.from["prompt"] != "" {
		line += " --prompt=auto"
	}
	return fault.New(line+end+" ("+why+")", "", provider.ErrNoCode)
}

// twoCodes asks for two token codes in a row.
func (p *prompts) twoCodes(ctx context.Context, serial, reason string) (one, two string, err error) {
	ask := func(prompt, reason string) (string, error) {
		return p.ui().Code(ctx, terminal.Question{
			Title: prompt, Details: []terminal.Detail{{Name: terminal.SerialDetail, Value: serial}}, Reason: reason,
		})
	}
	if one, err = ask("Enter a token code of the new device", reason); err != nil {
		return "", "", err
	}
	two, err = ask("Wait for the next code and enter it", "")
	return one, two, err
}

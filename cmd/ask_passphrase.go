package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"groat/cmd/terminal"
	"groat/vault"
	"groat/vault/fault"
)

const (
	lockedWhat   = "the file vault is locked"
	unlockRemedy = "run `groat unlock` in a terminal"
)

// passphraseFromPerson asks; a new vault's passphrase is asked for twice.
func (p *prompts) passphraseFromPerson(ctx context.Context, req vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
	if p.tooLate() {
		return nil, "", askedInVain(lockedWhat, unlockRemedy, terminal.ErrTimeout)
	}
	if req.New {
		return p.newPassphrase(ctx, req.Path, "Your keys will be kept in a new file vault: choose the passphrase that will open it")
	}
	q := passphraseQuestion("Passphrase for the file vault", req.Path)
	if req.Attempt > 1 {
		q.Again, q.Reason = true, triesLeft("wrong passphrase", req)
	}
	passphrase, err := p.ui().Secret(ctx, q)
	return passphrase, vault.FromPrompt, askedInVain(lockedWhat, unlockRemedy, err)
}

// newPassphrase asks for a passphrase until it is typed twice alike.
func (p *prompts) newPassphrase(ctx context.Context, path, title string) ([]byte, vault.PassphraseOrigin, error) {
	q := passphraseQuestion(title, path)
	for {
		q.Prompt = "new passphrase"
		first, err := p.ui().Secret(ctx, q)
		if err == nil {
			q.Again, q.Reason, q.Prompt = true, "", "repeat the passphrase"
			var second []byte
			if second, err = p.ui().Secret(ctx, q); err == nil && bytes.Equal(first, second) {
				return first, vault.FromPrompt, nil
			}
			clear(second)
		}
		clear(first)
		if err != nil {
			return nil, "", askedInVain("the file vault needs a new passphrase", "run it in a terminal", err)
		}
		q.Reason = "the two passphrases differ"
	}
}

func passphraseQuestion(title, path string) terminal.Question {
	return terminal.Question{Title: title, Details: []terminal.Detail{{Name: "vault", Value: path}}}
}

// triesLeft is why a passphrase is asked for again.
func triesLeft(why string, req vault.PassphraseRequest) string {
	return fmt.Sprintf("%s (tries left: %d)", why, vault.PromptAttempts+1-req.Attempt)
}

// askedInVain says what to do when nobody could or would answer.
func askedInVain(what, remedy string, err error) error {
	if err == nil || errors.Is(err, terminal.ErrInterrupted) {
		return err
	}
	return fault.New(what+": "+err.Error(), remedy+", or set "+passphraseVariable, errors.Join(vault.ErrLocked, err))
}

package cmd

import (
	"context"
	"errors"
	"fmt"

	"groat/cmd/terminal"
	"groat/session"
	"groat/vault"
)

// storeKey makes a key that of a profile. What was minted from the one before
// goes, so that nobody who puts an old card back finds its sessions: before,
// because a run that is cut off leaves nothing of the old key behind, and once
// more after, for what somebody minted meanwhile.
func (a *app) storeKey(ctx context.Context, v vault.Vault, name string, key vault.AccessKey, card vault.Card) (vault.Card, error) {
	drop := func() error {
		_, err := a.sessions(v).Remove(ctx, func(e session.Entry) bool { return e.Info.KeyProfile == name })
		return err
	}
	err := drop()
	if errors.Is(err, vault.ErrLocked) || errors.Is(err, vault.ErrPassphrase) || errors.Is(err, terminal.ErrInterrupted) {
		return vault.Card{}, err // storing would ask the same again
	}
	card, perr := vault.PutKey(ctx, v, name, key, card)
	if perr != nil {
		return vault.Card{}, perr
	}
	if err = drop(); err != nil {
		a.warn(fmt.Sprintf("could not drop all sessions of the key that profile %s had before: %v", quote(name), err))
	}
	return card, nil
}

package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/session"
	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/fault"
	"groat/vault/files"
)

var _ provider.Keys = (*vaults)(nil)

// Card reads a key's card.
func (v *vaults) Card(ctx context.Context, name string) (provider.Card, error) {
	found, err := v.find(ctx, name)
	return keyCard(found.Card), err
}

// keyCard is a card as package provider sees it.
func keyCard(c vault.Card) provider.Card {
	return provider.Card{Profile: c.Profile, KeyID: c.KeyID, Generation: c.Generation, Account: c.Account, UserName: c.UserName, MFASerial: c.MFASerial}
}

// Key opens a long-lived key.
func (v *vaults) Key(ctx context.Context, name string) (accesskey.Key, error) {
	found, err := v.find(ctx, name)
	if err != nil {
		return accesskey.Key{}, err
	}
	v.debugf("open the long-lived key of %q in the %s vault", name, found.Vault.Backend())
	key, err := vault.GetKey(ctx, found.Vault, name)
	return key, v.noKey(name, err)
}

// Mend settles which of a key and its card is the older one.
func (v *vaults) Mend(ctx context.Context, name string) error {
	found, err := v.find(ctx, name)
	if err != nil {
		return err
	}
	mended, err := vault.MendCard(ctx, found.Vault, name)
	if mended && err == nil {
		v.warn(fmt.Sprintf("an old card of the access key of profile %s had been put back; it is the stored key's again", quote(name)))
	}
	return err
}

// find asks anew: a key may be replaced while it is minted from.
func (v *vaults) find(ctx context.Context, name string) (vault.Found, error) {
	found, err := v.Find(ctx, name)
	return found, v.noKey(name, err)
}

// noKey turns a missing key into what the user can do about it.
func (v *vaults) noKey(name string, err error) error {
	if !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	at, err := v.Place(name)
	if err != nil {
		return err
	}
	return noKeyError(at.Backend(), name, cmp.Or(v.Elsewhere(name), "run: groat add "+files.Word(name)))
}

func noKeyError(backend, name, hint string) error {
	return fault.New(fmt.Sprintf("no access key is stored for profile %s in the %s vault", quote(name), backend), hint, provider.ErrNoKey)
}

// storeKey makes a key that of a profile. What was minted from the one before
// goes, so that nobody who puts an old card back finds its sessions: before,
// because a run that is cut off leaves nothing of the old key behind, and once
// more after, for what somebody minted meanwhile.
func (v *vaults) storeKey(ctx context.Context, in vault.Vault, name string, key accesskey.Key, card vault.Card) (vault.Card, error) {
	drop := func() error {
		_, err := v.sessions(in).Remove(ctx, func(e session.Entry) bool { return e.Info.KeyProfile == name })
		return err
	}
	err := drop()
	if errors.Is(err, vault.ErrLocked) || errors.Is(err, vault.ErrPassphrase) || errors.Is(err, terminal.ErrInterrupted) {
		return vault.Card{}, err // storing would ask the same again
	}
	card, perr := vault.PutKey(ctx, in, name, key, card)
	if perr != nil {
		return vault.Card{}, perr
	}
	if err = drop(); err != nil {
		v.warn(fmt.Sprintf("could not drop all sessions of the key that profile %s had before: %v", quote(name), err))
	}
	return card, nil
}

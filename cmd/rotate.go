package cmd

import (
	"context"
	"errors"
	"slices"
	"time"

	"groat/provider/iam"
	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/files"
)

// rotateCmd replaces access keys at AWS and in the vault.
type rotateCmd struct {
	codes
	Profiles       []string `arg:"" name:"profile" help:"Profiles whose keys are replaced."`
	DryRun         bool     `help:"Say what would be called; only look."`
	KeepOld        bool     `help:"Leave the old key at AWS, inactive."`
	DeleteInactive bool     `xor:"room" help:"Make room by deleting the user's other key, if it is inactive."`
	DeleteKey      string   `xor:"room" placeholder:"KEYID" help:"Make room by deleting this key of the user."`
}

// codes are the flags of commands that may need a session with MFA.
type codes struct {
	MFASerial string `name:"mfa-serial" placeholder:"SERIAL" help:"MFA device (default the profile's)."`
	MFACode   string `name:"mfa-code" aliases:"mfa-token" short:"t" placeholder:"CODE" help:"Token code (single use)."`
}

func (c codes) minting() minting { return minting{MFASerial: c.MFASerial, MFACode: c.MFACode} }

// Run rotates one after the other. Profiles that hold the same key follow
// together, so that their turn may be over before it comes.
func (c *rotateCmd) Run(ctx context.Context, a *app) error {
	done := map[string]bool{}
	for _, name := range c.Profiles {
		o, err := a.keyOwner(ctx, name, c.minting())
		if err != nil {
			return err
		}
		if done[o.profile] {
			continue
		}
		release, err := o.alone("run: groat rotate " + files.Word(o.profile))
		if err != nil {
			return err
		}
		holders, err := c.rotate(ctx, a, o.profile)
		release()
		if err != nil {
			return err
		}
		for _, name := range holders {
			done[name] = true
		}
	}
	return nil
}

// rotate runs alone for its user, and reads what is current only now: another
// rotation may just have ended.
func (c *rotateCmd) rotate(ctx context.Context, a *app, name string) ([]string, error) {
	o, err := a.keyOwner(ctx, name, c.minting())
	if err != nil {
		return nil, err
	}
	holders, err := o.holders(ctx)
	if err != nil {
		return nil, err
	}
	r := &iam.Rotator{
		Clock: iam.Clock{Now: a.now, Sleep: a.sleep}, Account: o.account, User: o.user,
		Profiles: holders, Named: files.Word(o.profile),
		Keys: ownedKeys{a.vaults(), o}, Journal: o.store(vault.KindJournal),
		Say: a.say, KeepOld: c.KeepOld, DeleteInactive: c.DeleteInactive, DeleteKey: c.DeleteKey,
		Sign: c.signer(a, o),
	}
	if !c.DryRun {
		return holders, r.Rotate(ctx)
	}
	lines, err := r.Plan(ctx)
	if err != nil {
		return nil, err
	}
	return holders, a.printLines(lines)
}

// signer signs by the key that is current when it is called: a code of the
// command line is good for the first time.
func (c *rotateCmd) signer(a *app, o *keyOwner) func(context.Context) (iam.Client, error) {
	first := true
	return func(ctx context.Context) (iam.Client, error) {
		if first {
			first = false
			return o.session(ctx, c.minting())
		}
		m := minting{MFASerial: c.MFASerial}
		now, err := a.keyOwner(ctx, o.profile, m)
		if err != nil {
			return iam.Client{}, err
		}
		return now.session(ctx, m)
	}
}

// holders are all profiles that hold the owner's key, the owner's first.
func (o *keyOwner) holders(ctx context.Context) ([]string, error) {
	all, err := o.a.vaults().AllCards(ctx)
	if err != nil {
		return nil, err
	}
	if all.Lost != nil { // a profile out of reach would keep a key that is deleted
		return nil, all.Lost
	}
	names := []string{o.profile}
	for name, card := range all.Cards {
		if card.KeyID == o.card.KeyID && name != o.profile {
			names = append(names, name)
		}
	}
	slices.Sort(names[1:])
	return names, nil
}

// ownedKeys are the keys of one user as package iam sees them.
type ownedKeys struct {
	*vaults
	owner *keyOwner
}

var _ iam.Keys = ownedKeys{}

// Replace keeps what the card of the old key says of its user.
func (k ownedKeys) Replace(ctx context.Context, name string, key accesskey.Key, made time.Time) error {
	v, err := k.Place(name)
	if err != nil {
		return err
	}
	card, err := vault.GetCard(ctx, v, name)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	card.Account, card.UserName, card.Added, card.Created = k.owner.account, k.owner.user, k.now(), made
	_, err = k.storeKey(ctx, v, name, key, card)
	return err
}

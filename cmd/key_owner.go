package cmd

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"

	"groat/provider"
	"groat/provider/iam"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// keyOwner is the IAM user behind a profile's stored key.
type keyOwner struct {
	a             *app
	profile       string   // that holds the key
	plan          *planned // the user's own session, without roles
	card          vault.Card
	vault         vault.Vault
	account, user string
}

// resolveKey resolves a profile that must use a stored key.
func (a *app) resolveKey(ctx context.Context, name string, m minting) (*resolved, error) {
	r, err := a.resolve(ctx, name, m)
	if err == nil && r.Source.Kind != profile.SourceKey {
		err = fault.New(fmt.Sprintf("profile %s uses no stored access key, so it has no IAM user", quote(name)), "name the profile that holds the key: groat list", profile.ErrUnsupported)
	}
	return r, err
}

// keyOwner finds the user; the name may be that of a role profile over the key.
func (a *app) keyOwner(ctx context.Context, name string, m minting) (*keyOwner, error) {
	name, err := a.profileOrPick(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := a.resolveKey(ctx, name, m)
	if err != nil {
		return nil, err
	}
	own := *r.Resolved
	own.Roles, own.SessionPolicy = nil, profile.SessionPolicy{} // what the profile hands out is narrowed, its user is not
	for _, role := range r.Roles {
		if own.Source.MFASerial == "" {
			own.Source.MFASerial = role.MFASerial
		}
	}
	o := &keyOwner{a: a, profile: r.Source.Profile, card: r.key.Card, vault: r.key.Vault}
	if o.plan, err = a.planOf(&resolved{&own, r.key}, m); err != nil {
		return nil, err
	}
	o.account, o.user = o.card.Account, o.card.UserName
	if o.account == "" || o.user == "" { // stored without asking AWS
		key, err := a.keyClient(ctx, o.plan)
		if err != nil {
			return nil, err
		}
		id, err := provider.CallerIdentity(ctx, key.Options, key.Credentials)
		if err != nil {
			return nil, err
		}
		o.account, o.user = id.Account, id.UserName()
	}
	if o.user == "root" {
		return nil, fault.New(fmt.Sprintf("the key of profile %s is the root user's, and groat manages only IAM users", quote(o.profile)),
			"delete that key in the console, and use an IAM user's", profile.ErrUnsupported)
	}
	return o, nil
}

// serial is the device that the user's codes are asked of; "" for none.
func (o *keyOwner) serial() string {
	for _, s := range o.plan.Steps {
		if s.MFASerial != "" {
			return s.MFASerial
		}
	}
	return ""
}

// key signs with the bare key.
func (o *keyOwner) key(ctx context.Context) (iam.Client, error) {
	return o.a.keyClient(ctx, o.plan)
}

// session signs with a session that was begun with a code, or with the bare
// key where there is no device: IAM takes no other session.
func (o *keyOwner) session(ctx context.Context, m minting) (iam.Client, error) {
	if o.serial() == "" {
		return o.key(ctx)
	}
	minter, err := o.a.minter(o.plan, m)
	if err != nil {
		return iam.Client{}, err
	}
	creds, err := o.a.handOut(ctx, o.plan, minter)
	if err != nil {
		return iam.Client{}, err
	}
	c, err := o.a.callOptionsOf(o.plan)
	return iam.Client{Options: c, Credentials: creds}, err
}

// alone keeps other processes of this machine from changing the same user.
func (o *keyOwner) alone(what string) (release func(), err error) {
	path := filepath.Join(o.a.vaults().LockDir(o.vault), "iam-"+string(session.NewKey(o.account, o.user))[:32]+".lock")
	if err := (files.Disk{}).MakeFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	l := flock.New(path, flock.SetPermissions(0o600))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("could not lock %s: %w", path, err)
	}
	if !ok {
		return nil, fault.New(fmt.Sprintf("another groat is changing the keys or devices of user %s", o.user), "wait until it has ended; then, where it is still needed, "+what, nil)
	}
	return func() { _ = l.Unlock() }, nil
}

// store is one namespace of the key's vault.
func (o *keyOwner) store(kind vault.Kind) session.Store { return itemStore{o.vault, kind} }

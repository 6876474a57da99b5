package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/provider/iam"
	"groat/session"
	"groat/vault/fault"
)

// revokeCmd ends what was minted from keys, here and at AWS.
type revokeCmd struct {
	codes
	Profiles []string `arg:"" optional:"" name:"profile" help:"Profiles."`
	All      bool     `help:"All profiles that hold a key."`
	KeepKey  bool     `help:"Do not deactivate the key."`
	Apply    bool     `help:"Put the policy that ends sessions on the user and on the roles, where that is allowed."`
	DryRun   bool     `help:"Only say what would be done."`
}

// Run goes on past what fails: each key that can be revoked is.
func (c *revokeCmd) Run(ctx context.Context, a *app) error {
	if c.All == (len(c.Profiles) > 0) {
		return usageError("name profiles, or --all", "run: groat revoke --help")
	}
	names := c.Profiles
	if c.All {
		all, err := a.vaults().All(ctx)
		if err == nil {
			err = all.Lost
		}
		if err != nil {
			return err
		}
		names = slices.Sorted(maps.Keys(all.Holders))
	}
	done := map[string]bool{}
	var errs []error
	for _, name := range names {
		o, err := a.keyOwner(ctx, name, c.minting())
		if err == nil && !done[o.card.KeyID] {
			done[o.card.KeyID] = true
			err = c.revoke(ctx, a, o)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *revokeCmd) revoke(ctx context.Context, a *app, o *keyOwner) error {
	holders, err := o.holders(ctx)
	if err != nil {
		return err
	}
	roles := a.paths.mintedRoles().of(holders, a.now())
	if c.DryRun {
		return c.plan(a, o, holders, roles)
	}
	if err := c.confirm(ctx, a, o, roles); err != nil {
		return err
	}
	// What is cached signs the calls, so that it goes after them, and in any case.
	client, err := o.session(ctx, c.minting())
	var commands []string
	if err == nil {
		r := iam.Revoker{Client: client, Clock: iam.Clock{Now: a.now}, Account: o.account, User: o.user, KeyID: o.card.KeyID,
			Roles: roles, KeepKey: c.KeepKey, Apply: c.Apply, Say: a.say}
		commands, err = r.Revoke(ctx)
	}
	dropped, derr := c.drop(ctx, a, holders)
	a.say(fmt.Sprintf("dropped %d cached %s", dropped, plural(dropped, "session")))
	c.tell(a, o, commands)
	refused := error(nil)
	if c.Apply && len(commands) > 0 && err == nil {
		refused = fault.New("not everything could be revoked", "an administrator runs the commands above", provider.ErrRefused)
	}
	return errors.Join(err, derr, refused, a.printLines(commands))
}

// confirm asks where somebody can be asked; in a hurry nobody is needed.
func (c *revokeCmd) confirm(ctx context.Context, a *app, o *keyOwner, roles []string) error {
	if a.prompts.ui().CanConfirm() != nil {
		return nil
	}
	what := "End all sessions of user " + o.user
	if len(roles) > 0 {
		what += " and of all who use " + strings.Join(roles, ", ")
	}
	if !c.KeepKey {
		what += ", and deactivate access key " + o.card.KeyID
	}
	ok, err := a.prompts.ui().Confirm(ctx, terminal.Question{Title: what + "?"})
	if err == nil && !ok {
		err = errors.New("nothing was revoked")
	}
	return err
}

// drop forgets what is cached of the key.
func (c *revokeCmd) drop(ctx context.Context, a *app, holders []string) (int, error) {
	total := 0
	var errs []error
	for _, name := range holders {
		v, err := a.vaults().Place(name)
		if err == nil {
			var n int
			n, err = a.vaults().sessions(v).Remove(ctx, func(e session.Entry) bool { return e.Info.KeyProfile == name || e.Info.Profile == name })
			total += n
		}
		errs = append(errs, err, a.aws.dropExported(ctx, func(exported string) bool { return exported == name }))
	}
	return total, errors.Join(errs...)
}

// tell says what is still alive, and where to look for what was done.
func (c *revokeCmd) tell(a *app, o *keyOwner, commands []string) {
	if len(commands) > 0 {
		a.say("credentials that were minted and copied elsewhere stay valid until they expire, for up to 36 hours; an administrator can end them with these commands")
	} else {
		a.say("sessions that began before now are denied everything; AWS takes a few seconds to enforce that everywhere")
	}
	if c.KeepKey {
		a.say("access key " + o.card.KeyID + " still works, and new sessions can be minted with it")
	}
	a.say("what was done with the key: aws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue=" + o.card.KeyID)
}

func (c *revokeCmd) plan(a *app, o *keyOwner, holders, roles []string) error {
	var lines []string
	if c.Apply {
		for _, arn := range roles {
			lines = append(lines, "iam:PutRolePolicy "+iam.RevokePolicy+" on "+arn)
		}
	}
	if !c.KeepKey {
		lines = append(lines, "iam:UpdateAccessKey "+o.card.KeyID+" Inactive")
	}
	if c.Apply {
		lines = append(lines, "iam:PutUserPolicy "+iam.RevokePolicy+" on user "+o.user)
	}
	for _, name := range holders {
		lines = append(lines, fmt.Sprintf("the cached sessions of profile %q are dropped", name))
	}
	return a.printLines(lines)
}

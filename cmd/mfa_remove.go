package cmd

import (
	"context"
	"errors"
	"fmt"

	"groat/cmd/terminal"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// mfaResyncCmd tells AWS how far off a device's clock is.
type mfaResyncCmd struct{ device }

// Run signs with the bare key: with a device that is off, no session can be had.
func (c *mfaResyncCmd) Run(ctx context.Context, a *app) error {
	o, err := a.keyOwner(ctx, c.Profile, minting{MFASerial: c.MFASerial})
	if err != nil {
		return err
	}
	serial, err := c.deviceOf(o)
	if err != nil {
		return err
	}
	one, two, err := a.prompts.twoCodes(ctx, serial, "")
	if err != nil {
		return err
	}
	client, err := o.key(ctx)
	if err != nil {
		return err
	}
	used := a.vaults().sessions(o.vault).UsedCodes()
	for _, code := range []string{one, two} {
		if _, err := used.Use(ctx, serial, code, 0); err != nil {
			return err
		}
	}
	if err := client.Resync(ctx, o.user, serial, one, two); err != nil {
		return err
	}
	a.say("resynchronised MFA device " + serial + "; both codes are spent, the next one opens a session")
	return nil
}

// deviceOf is the device that the command is about.
func (d device) deviceOf(o *keyOwner) (string, error) {
	if serial := o.serial(); serial != "" {
		return serial, nil
	}
	return "", fault.New(fmt.Sprintf("profile %s has no mfa_serial", quote(o.profile)), "give --mfa-serial; `groat mfa list "+files.Word(o.profile)+"` shows the devices", profile.ErrUnsupported)
}

// mfaRemoveCmd takes an MFA device away from the key's user.
type mfaRemoveCmd struct {
	device
	MFACode string `name:"mfa-code" aliases:"mfa-token" short:"t" placeholder:"CODE" help:"Token code (single use)."`
	Force   bool   `short:"f" help:"Do not ask."`
}

// Run may be run again after it was cut off: what is gone is passed over.
func (c *mfaRemoveCmd) Run(ctx context.Context, a *app) error {
	m := minting{MFASerial: c.MFASerial, MFACode: c.MFACode}
	o, err := a.keyOwner(ctx, c.Profile, m)
	if err != nil {
		return err
	}
	serial, err := c.deviceOf(o)
	if err != nil {
		return err
	}
	if err := c.confirm(ctx, a, serial); err != nil {
		return err
	}
	release, err := o.alone("run: " + c.line("remove"))
	if err != nil {
		return err
	}
	defer release()
	client, err := o.session(ctx, m)
	if err != nil {
		return err
	}
	if err := client.RemoveDevice(ctx, o.user, serial); err != nil {
		return err
	}
	a.say("deactivated and deleted MFA device " + serial)
	return o.forgetDevice(ctx, serial)
}

func (c *mfaRemoveCmd) confirm(ctx context.Context, a *app, serial string) error {
	if c.Force {
		return nil
	}
	if err := a.prompts.ui().CanConfirm(); err != nil {
		return usageError("the removal of "+serial+" is not confirmed: "+err.Error(), "to remove it without a question: give --force")
	}
	ok, err := a.prompts.ui().Confirm(ctx, terminal.Question{Title: "Remove MFA device " + serial + " of the user, at AWS and here?"})
	if err == nil && !ok {
		err = errors.New("nothing was removed")
	}
	return err
}

// forgetDevice takes a serial out of vault, card and config.
func (o *keyOwner) forgetDevice(ctx context.Context, serial string) error {
	if err := o.vault.Remove(ctx, vault.KindSeed, serial); err != nil && !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	if o.card.MFASerial == serial {
		if _, err := vault.SetCard(ctx, o.vault, o.profile, func(card *vault.Card) { card.MFASerial = "" }); err != nil {
			return err
		}
	}
	config, err := o.a.aws.config()
	if err != nil {
		return err
	}
	names := []string{}
	_, err = profile.EditFile(ctx, o.a.paths.awsConfig, profile.EditOptions{}, func(d *profile.Document) error {
		for _, name := range config.Names() {
			if value, ok := d.Get(name, "mfa_serial"); ok && value == serial {
				if err := d.Remove(name, "mfa_serial"); err != nil {
					return err
				}
				names = append(names, quote(name))
			}
		}
		return nil
	})
	for _, name := range names {
		o.a.say(fmt.Sprintf("took mfa_serial out of profile %s in %s", name, o.a.paths.awsConfig))
	}
	return err
}

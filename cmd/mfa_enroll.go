package cmd

import (
	"context"
	"fmt"

	"groat/provider"
	"groat/provider/iam"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// mfaEnrollCmd gives the key's user a virtual MFA device.
type mfaEnrollCmd struct {
	Profile    string `arg:"" optional:"" help:"Profile whose key's user it is (default AWS_PROFILE)."`
	DeviceName string `placeholder:"NAME" help:"Name of the device (default the user's, then -2…)."`
	QRPNG      string `name:"qr-png" placeholder:"FILE" help:"Write the QR code to a new file too, readable by you alone."`
	ShowSecret bool   `help:"Show the seed as text, for typing."`
	StoreSeed  bool   `help:"Keep the seed in the vault: codes come by themselves from then on."`
}

// Run signs with the bare key: policies let those who have no device yet do
// this without a code. Who has one may be asked for it.
func (c *mfaEnrollCmd) Run(ctx context.Context, a *app) error {
	o, err := a.keyOwner(ctx, c.Profile, minting{})
	if err != nil {
		return err
	}
	if err := a.prompts.ui().CanConfirm(); err != nil { // it is shown and asked on the terminal
		return fault.New(fmt.Sprintf("the QR code is shown on a terminal, and codes are asked for: %v", err), "run in a terminal: groat mfa enroll "+files.Word(o.profile), provider.ErrNoCode)
	}
	release, err := o.alone("run: groat mfa enroll " + files.Word(o.profile))
	if err != nil {
		return err
	}
	defer release()
	if c.StoreSeed {
		a.warn(seedStatement)
	}
	client, err := o.key(ctx)
	if err != nil {
		return err
	}
	d, err := c.enroller(a, o, client).Enroll(ctx, c.DeviceName)
	if err != nil {
		return err
	}
	a.say(fmt.Sprintf("MFA device %s of user %s is in use; both codes are spent, the next one opens a session", d.Serial, o.user))
	return nil
}

// enroller asks and shows on the terminal, and keeps all in the key's vault.
func (c *mfaEnrollCmd) enroller(a *app, o *keyOwner, client iam.Client) iam.Enroller {
	e := iam.Enroller{
		Client: client, Clock: iam.Clock{Now: a.now, Sleep: a.sleep},
		Account: o.account, User: o.user,
		Pending: o.store(vault.KindSeed),
		Used:    a.vaults().sessions(o.vault).UsedCodes(),
		Show: func(ctx context.Context, d iam.Device) error {
			return c.show(ctx, a, d, d.URL(client.Alias(ctx, o.account), o.user))
		},
		Codes:  a.prompts.twoCodes,
		Finish: func(ctx context.Context, d iam.Device) error { return c.finish(ctx, o, d) },
		Say:    a.say,
	}
	if o.serial() != "" {
		e.Elevate = func(ctx context.Context) (iam.Client, error) { return o.session(ctx, minting{}) }
	}
	return e
}

// show draws the QR code on the terminal, which nobody's redirection sees.
func (c *mfaEnrollCmd) show(ctx context.Context, a *app, d iam.Device, url string) error {
	code, err := drawQR(url)
	if err != nil {
		return err
	}
	if c.QRPNG != "" {
		if err := code.writePNG(c.QRPNG); err != nil {
			return err
		}
		a.say("wrote the QR code to " + c.QRPNG + ": anyone who can read that file has the second factor, so delete it once it is scanned")
	}
	if err := a.prompts.ui().Draw(ctx, code.halfBlocks()...); err != nil {
		return err
	}
	lines := []string{"Scan this QR code with an authenticator app. Device: " + d.Serial}
	if c.ShowSecret {
		lines = append(lines, "Or type this secret: "+d.Seed)
	}
	return a.prompts.ui().Tell(ctx, lines...)
}

// finish makes the device known: seed, card, config. What is there already
// stays as it is.
func (c *mfaEnrollCmd) finish(ctx context.Context, o *keyOwner, d iam.Device) error {
	a := o.a
	if c.StoreSeed {
		if err := o.vault.Put(ctx, vault.KindSeed, d.Serial, []byte(d.Seed)); err != nil {
			return err
		}
	}
	if known := configured(a, o.profile); known != "" && known != d.Serial {
		a.say(fmt.Sprintf("profile %s keeps mfa_serial = %s in %s", quote(o.profile), known, a.paths.awsConfig))
		return nil
	}
	if _, err := vault.SetCard(ctx, o.vault, o.profile, func(card *vault.Card) { card.MFASerial = d.Serial }); err != nil {
		return err
	}
	if err := profile.SetKeys(ctx, a.paths.awsConfig, o.profile, profile.KeyValue{Key: "mfa_serial", Value: d.Serial}); err != nil {
		return err
	}
	a.say(fmt.Sprintf("wrote mfa_serial = %s to profile %s in %s", d.Serial, quote(o.profile), a.paths.awsConfig))
	return nil
}

package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/fault"
	"groat/vault/files"
)

// addCmd stores a long-lived access key, proved by AWS, under a profile.
type addCmd struct {
	Profile   string `arg:"" help:"Profile that the key is for."`
	Stdin     bool   `xor:"from" help:"Read the key from stdin: JSON of create-access-key, the console's CSV, AWS_…= lines, or ID SECRET."`
	Env       bool   `xor:"from" help:"Take the key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."`
	MFASerial string `name:"mfa-serial" default:"auto" placeholder:"SERIAL|auto|none" help:"MFA device to write to the config (auto: ask IAM)."`
	NoVerify  bool   `help:"Store without asking AWS whose key it is."`
	NoConfig  bool   `help:"Leave the AWS config file alone."`
	Overwrite bool   `help:"Replace a stored key."`
	Region    string `placeholder:"REGION" help:"Region of the STS endpoint that verifies the key."`
}

// Run takes, verifies, stores and describes the key, in this order: what AWS
// refuses is never stored, and what is stored is never lost to a config file
// that cannot be written.
func (c *addCmd) Run(ctx context.Context, a *app) error {
	if err := checkProfileName(c.Profile); err != nil {
		return err
	}
	card := vault.Card{}
	if c.MFASerial != "auto" && c.MFASerial != "none" {
		card.MFASerial = c.MFASerial
	}
	// What fails every later command must not stand in the config.
	if err := checkMinting(minting{Region: c.Region, MFASerial: card.MFASerial}, card.MFASerial); err != nil {
		return err
	}
	if err := provider.CheckSerial(c.Profile, card.MFASerial); err != nil {
		return err
	}
	v, err := a.vaults().Place(c.Profile)
	if err != nil {
		return err
	}
	if err := c.checkFree(ctx, v); err != nil {
		return err
	}
	key, err := c.take(ctx, a)
	if err != nil {
		return err
	}
	if !c.NoVerify {
		if card, err = c.verify(ctx, a, key, card); err != nil {
			return err
		}
	}
	card, err = a.vaults().storeKey(ctx, v, c.Profile, key, card)
	if err != nil {
		return err
	}
	keys, _ := a.vaults().Recorded()
	if before := keys[c.Profile]; before != "" && before != v.Backend() {
		a.warn(fmt.Sprintf("the %s vault keeps its key of profile %s; from now on the one in the %s vault is used", before, quote(c.Profile), v.Backend()))
	}
	if err := a.vaults().Note(c.Profile, v.Backend()); err != nil {
		a.warn("could not record which vault holds the key: " + err.Error())
	}
	whose := ""
	if card.ARN != "" {
		whose = " of " + card.ARN
	}
	a.say(fmt.Sprintf("stored access key %s%s for profile %s in the %s vault", card.KeyID, whose, quote(c.Profile), v.Backend()))
	if !c.NoConfig && card.MFASerial != "" {
		c.writeSerial(ctx, a, card.MFASerial)
	}
	return nil
}

func (c *addCmd) checkFree(ctx context.Context, v vault.Vault) error {
	if c.Overwrite {
		return nil
	}
	card, err := vault.GetCard(ctx, v, c.Profile)
	switch {
	case errors.Is(err, vault.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return usageError(fmt.Sprintf("profile %s already has access key %s in the %s vault", quote(c.Profile), card.KeyID, v.Backend()), "to replace it: groat add --overwrite "+files.Word(c.Profile))
}

// take gets the key from where the flags say, else from a person.
func (c *addCmd) take(ctx context.Context, a *app) (accesskey.Key, error) {
	switch {
	case c.Stdin:
		key, err := accesskey.Read(a.streams.input(ctx))
		if err != nil {
			return key, usageError("stdin: "+err.Error(), "")
		}
		return key, nil
	case c.Env:
		key := accesskey.Key{ID: a.getenv("AWS_ACCESS_KEY_ID"), Secret: a.getenv("AWS_SECRET_ACCESS_KEY")}
		if key.ID == "" && key.Secret == "" {
			return key, usageError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set", "")
		}
		if err := key.Check(a.getenv("AWS_SESSION_TOKEN")); err != nil {
			return key, usageError("environment: "+err.Error(), "")
		}
		return key, nil
	}
	if err := a.prompts.ui().CanAsk(); err != nil {
		return accesskey.Key{}, usageError("could not ask for the access key: "+err.Error(), "give the key with --stdin or --env")
	}
	return a.prompts.askKey(ctx, c.Profile)
}

// verify asks STS whose key it is and, with --mfa-serial auto, IAM for the
// user's MFA device. A user who may not list devices still gets the key stored.
func (c *addCmd) verify(ctx context.Context, a *app, key accesskey.Key, card vault.Card) (vault.Card, error) {
	o, err := a.callOptions(c.Profile, c.Region)
	if err != nil {
		return card, err
	}
	creds := session.OfKey(key)
	id, err := provider.CallerIdentity(ctx, o, creds)
	if err != nil {
		if errors.Is(err, provider.ErrUnreachable) {
			return card, fault.New(err.Error(), "to store it unverified: groat add --no-verify "+files.Word(c.Profile), err)
		}
		return card, err
	}
	card.Account, card.ARN, card.UserName = id.Account, id.ARN, id.UserName()
	if c.MFASerial != "auto" {
		return card, nil
	}
	if card.MFASerial = configured(a, c.Profile); card.MFASerial != "" {
		return card, nil // the config says which device: nothing to look for
	}
	serials, err := provider.MFADevices(ctx, o, creds)
	if err != nil {
		a.warn("could not look for an MFA device: " + err.Error())
		return card, nil // the key is good all the same
	}
	card.MFASerial, err = a.prompts.chooseDevice(ctx, serials)
	return card, err
}

// configured is the serial that the config gives the profile; "" if none.
func configured(a *app, name string) string {
	config, err := a.aws.config()
	if err != nil {
		return ""
	}
	return config.Value(name, "mfa_serial")
}

// writeSerial adds the serial to the profile's section, unless it names one.
func (c *addCmd) writeSerial(ctx context.Context, a *app, serial string) {
	if known := configured(a, c.Profile); known != "" {
		if known != serial {
			a.warn(fmt.Sprintf("profile %s keeps mfa_serial = %s in %s", quote(c.Profile), known, a.paths.awsConfig))
		}
		return
	}
	err := profile.SetKeys(ctx, a.paths.awsConfig, c.Profile, profile.KeyValue{Key: "mfa_serial", Value: serial})
	if err != nil {
		a.warn(fmt.Sprintf("the key is stored, but mfa_serial could not be written: %v", err))
		return
	}
	a.say(fmt.Sprintf("wrote mfa_serial = %s to profile %s in %s", serial, quote(c.Profile), a.paths.awsConfig))
}

// checkProfileName refuses names that no config file section can have. The
// command line parser gives U+FFFD for bytes that are no UTF-8, so that two
// such names would be one.
func checkProfileName(name string) error {
	bad := func(r rune) bool { return unicode.IsControl(r) || r == '[' || r == ']' }
	switch {
	case len(name) > vault.MaxName:
		return usageError(fmt.Sprintf("the profile's name is longer than %d bytes", vault.MaxName), "")
	case !utf8.ValidString(name) || strings.ContainsRune(name, utf8.RuneError):
		return usageError("the profile's name is not UTF-8", "")
	case name == "" || strings.TrimSpace(name) != name:
		return usageError("the profile's name is empty or has blanks around it", "")
	case strings.ContainsFunc(name, bad):
		return usageError(fmt.Sprintf("the profile's name %q has brackets or control characters", name), "")
	}
	return nil
}

// quote shows a name that came from outside.
func quote(name string) string { return fmt.Sprintf("%q", name) }

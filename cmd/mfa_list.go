package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"groat/provider"
	"groat/session"
	"groat/vault"
	"groat/vault/files"
)

// mfaListCmd shows the MFA devices of a key's user.
type mfaListCmd struct {
	Profile string `arg:"" optional:"" help:"Profile whose key's user it is (default AWS_PROFILE)."`
}

// Run asks IAM with the long-lived key: self-service policies allow this call
// without a code, since somebody without a device could give none.
func (c *mfaListCmd) Run(ctx context.Context, a *app) error {
	name, err := a.profileOrPick(ctx, c.Profile)
	if err != nil {
		return err
	}
	r, err := a.resolveKey(ctx, name, minting{})
	if err != nil {
		return err
	}
	key, err := a.vaults().Key(ctx, r.Source.Profile)
	if err != nil {
		return err
	}
	o, err := a.callOptions(r.Source.Profile, "")
	if err != nil {
		return err
	}
	serials, err := provider.MFADevices(ctx, o, session.OfKey(key))
	if err != nil {
		return err
	}
	if len(serials) == 0 {
		a.say(fmt.Sprintf("the user of profile %s has no MFA device; to set one up: groat mfa enroll %s", quote(r.Source.Profile), files.Word(r.Source.Profile)))
		return nil
	}
	used := c.used(a, r)
	lines := make([]string, len(serials))
	for i, serial := range serials {
		notes, err := c.notes(ctx, r.key.Vault, used, serial)
		if err != nil {
			return err
		}
		lines[i] = strings.Join(append([]string{serial}, notes...), "\t")
	}
	return a.printLines(lines)
}

// used is the device that the profile's codes are asked of: the plan knows
// where no file says so. "" where there is none, or one that gives no codes:
// this list is what such a profile's error points to.
func (c *mfaListCmd) used(a *app, r *resolved) string {
	plan, err := a.planOf(r, minting{})
	if err != nil {
		return ""
	}
	for _, s := range plan.Steps {
		if s.MFASerial != "" {
			return s.MFASerial
		}
	}
	return ""
}

// notes says what groat knows of a device, one word each.
func (c *mfaListCmd) notes(ctx context.Context, v vault.Vault, used, serial string) ([]string, error) {
	var notes []string
	if strings.Contains(serial, ":u2f/") {
		notes = append(notes, "security-key") // console only: it gives no codes
	}
	if serial == used {
		notes = append(notes, "in-use")
	}
	stored, err := v.Names(ctx, vault.KindSeed)
	if err != nil && !errors.Is(err, vault.ErrNotFound) {
		return nil, err
	}
	for _, name := range stored {
		if name == serial {
			notes = append(notes, "seed-stored")
		}
	}
	return notes, nil
}

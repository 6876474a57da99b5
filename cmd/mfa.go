package cmd

import (
	"context"
	"errors"
	"fmt"

	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// mfaCmd gathers what concerns MFA devices.
type mfaCmd struct {
	Enroll mfaEnrollCmd `cmd:"" help:"Create a virtual MFA device: QR code, two codes, done."`
	List   mfaListCmd   `cmd:"" help:"Show the MFA devices of a key's user."`
	Resync mfaResyncCmd `cmd:"" help:"Tell AWS how far off a device's clock is, by two codes."`
	Remove mfaRemoveCmd `cmd:"" help:"Deactivate and delete a device."`
	Seed   mfaSeedCmd   `cmd:"" help:"Store or delete the TOTP seed of a device that exists."`
	Code   mfaCodeCmd   `cmd:"" help:"Print the current token code of a stored TOTP seed."`
}

// device says which MFA device a command of the group is about.
type device struct {
	MFASerial string `name:"mfa-serial" placeholder:"SERIAL" help:"MFA device (default the profile's)."`
	Profile   string `arg:"" optional:"" help:"Profile whose device it is (default AWS_PROFILE)."`
}

// find is the device's serial, the vault in which its seed is kept, which is
// that of the profile's key, and the profile's plan.
func (d device) find(ctx context.Context, a *app) (serial string, v vault.Vault, plan *planned, err error) {
	name, err := a.profileOrPick(ctx, d.Profile)
	if err != nil {
		return "", nil, nil, err
	}
	if plan, err = a.plan(ctx, name, minting{MFASerial: d.MFASerial}); err != nil {
		return "", nil, nil, err
	}
	serial = d.MFASerial
	for _, s := range plan.Steps {
		if s.MFASerial != "" {
			serial = s.MFASerial
		}
	}
	if serial == "" {
		return "", nil, nil, fault.New(fmt.Sprintf("profile %s has no mfa_serial", quote(name)), "set it in the AWS config, or give --mfa-serial", profile.ErrUnsupported)
	}
	v, err = a.vaults().of(plan)
	return serial, v, plan, err
}

// line is another command of the group for the same device.
func (d device) line(command string) string {
	line := "groat mfa " + command
	if d.MFASerial != "" {
		line += " --mfa-serial " + files.Word(d.MFASerial)
	}
	if d.Profile != "" {
		line += " " + files.Word(d.Profile)
	}
	return line
}

// vaultSeeds is the vault's seeds as package provider sees them.
type vaultSeeds struct{ v vault.Vault }

var _ provider.Seeds = vaultSeeds{}

// Seed opens a device's seed, if one is stored. Unlock memory does not open
// it: who finds the machine unlocked does not find the second factor.
func (s vaultSeeds) Seed(ctx context.Context, serial string) (string, bool, error) {
	seed, err := s.v.Get(ctx, vault.KindSeed, serial)
	if errors.Is(err, vault.ErrNotFound) {
		return "", false, nil
	}
	return string(seed), err == nil, err
}

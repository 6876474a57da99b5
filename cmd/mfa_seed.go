package cmd

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/pquerna/otp"

	"groat/cmd/terminal"
	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/fault"
)

// mfaSeedCmd stores or deletes the TOTP seed of a device that exists already.
type mfaSeedCmd struct {
	device
	Stdin     bool `xor:"what" help:"Read the seed from stdin: base32 or an otpauth:// URL."`
	Delete    bool `xor:"what" help:"Delete the stored seed."`
	Overwrite bool `help:"Replace a stored seed."`
}

// seedStatement is said whenever a seed is stored.
const seedStatement = "a stored seed makes two factors one: anyone who can open this vault passes MFA as you, without your device; " +
	"it is sealed apart from the keys and needs the passphrase even while the vault is unlocked"

// Run stores or deletes.
func (c *mfaSeedCmd) Run(ctx context.Context, a *app) error {
	serial, v, _, err := c.find(ctx, a)
	if err != nil {
		return err
	}
	if c.Delete {
		if err := v.Remove(ctx, vault.KindSeed, serial); err != nil {
			return c.noSeed(v, serial, err)
		}
		a.say("deleted the TOTP seed of " + serial + " from the " + v.Backend() + " vault; codes are asked for again")
		return nil
	}
	stored, err := v.Names(ctx, vault.KindSeed)
	if err != nil {
		return err
	}
	if slices.Contains(stored, serial) && !c.Overwrite {
		return usageError("the "+v.Backend()+" vault already has a TOTP seed of "+serial, "to replace it: give --overwrite")
	}
	a.warn(seedStatement)
	seed, err := c.take(ctx, a, serial)
	if err != nil {
		return err
	}
	if err := v.Put(ctx, vault.KindSeed, serial, []byte(seed)); err != nil {
		return err
	}
	a.say("stored the TOTP seed of " + serial + " in the " + v.Backend() + " vault; compare `" + c.line("code") + "` with the device")
	return nil
}

// take reads the seed from stdin or asks for it.
func (c *mfaSeedCmd) take(ctx context.Context, a *app, serial string) (string, error) {
	if c.Stdin {
		b, err := io.ReadAll(io.LimitReader(a.streams.input(ctx), accesskey.MaxInput))
		if err != nil {
			return "", fmt.Errorf("could not read stdin: %w", err)
		}
		seed, err := parseSeed(string(b))
		if err != nil {
			return "", usageError("stdin: "+err.Error(), "")
		}
		return seed, nil
	}
	if err := a.prompts.ui().CanAsk(); err != nil {
		return "", usageError("could not ask for the seed: "+err.Error(), "give the seed with --stdin")
	}
	b, err := a.prompts.ui().Secret(ctx, terminal.Question{
		Title:   "TOTP seed (base32) or otpauth:// URL",
		Details: []terminal.Detail{{Name: terminal.SerialDetail, Value: serial}},
		Prompt:  "seed",
		Check:   func(b []byte) string { _, err := parseSeed(string(b)); return textOf(err) },
	})
	if err != nil {
		return "", err
	}
	defer clear(b)
	return parseSeed(string(b))
}

// minSeed is the least that counts as a secret, in bytes; AWS's have 40.
const minSeed = 10

// parseSeed takes a seed as people have it: base32 in groups, in small
// letters, with or without padding, or the otpauth URL of a QR code
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). No
// error repeats any of it.
func parseSeed(text string) (string, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(strings.ToLower(text), "otpauth:") {
		key, err := otp.NewKeyFromURL(text)
		if err != nil {
			return "", errors.New("the otpauth URL cannot be read")
		}
		if key.Type() != "totp" || key.Digits() != otp.DigitsSix || key.Period() != 30 || key.Algorithm() != otp.AlgorithmSHA1 {
			return "", errors.New("the otpauth URL is not of a device that AWS knows: six digits every 30 s by SHA-1")
		}
		text = key.Secret()
	}
	seed := strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, text))
	seed = strings.TrimRight(seed, "=")
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(seed)
	switch {
	case seed == "":
		return "", errors.New("the seed is empty")
	case err != nil:
		return "", errors.New("the seed is not base32 (letters and the digits 2 to 7)")
	case len(raw) < minSeed:
		return "", errors.New("the seed is too short to be one")
	}
	return seed, nil
}

// noSeed says what to do about a seed that is not there.
func (d device) noSeed(v vault.Vault, serial string, err error) error {
	if !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	return fault.New("the "+v.Backend()+" vault has no TOTP seed of "+serial, "to store one: "+d.line("seed"), vault.ErrNotFound)
}

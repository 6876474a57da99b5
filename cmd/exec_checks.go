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

// checkWay refuses a way of handing over credentials that would not hand
// over this profile's.
func (c *execCmd) checkWay(a *app, name string) error {
	switch {
	case c.TokenFile && !c.Server:
		return usageError("--token-file needs --server", "run: groat exec --help")
	case c.Server || c.IMDS:
		return c.checkDefault(a, name)
	case c.ProfileEnv && a.nameless:
		return usageError("--profile-env needs a profile: these credentials are those of the environment's web identity", "leave it out, or use --server")
	case c.ProfileEnv:
		return c.checkProfileEnv(a, name)
	}
	return nil
}

// checkDefault: with no profile named, SDKs look into [default] before they
// ask a server. Credentials there would silently be another identity.
func (c *execCmd) checkDefault(a *app, name string) error {
	config, err := a.aws.config()
	if err != nil {
		return err
	}
	for _, key := range provider.SDKKeys() {
		value := config.Value("default", key)
		if value == "" || key == "aws_access_key_id" && config.Value("default", profile.ExportedKey) != "" && name == "default" {
			continue
		}
		if self, plain, _ := selfProfile(value); key == "credential_process" && plain && self == name {
			continue // the same credentials by another road
		}
		return fault.New(
			fmt.Sprintf("the section [default] has %s: SDKs would use that before they ask the server, and would not act as profile %s", key, quote(name)),
			"leave --server out (the keys then go into the environment, which SDKs look at first), "+
				"or rename [default]",
			profile.ErrUnsupported,
		)
	}
	return nil
}

// checkProfileEnv warns when the profile is not set up for --profile-env.
func (c *execCmd) checkProfileEnv(a *app, name string) error {
	config, err := a.aws.config()
	if err != nil {
		return err
	}
	if _, _, ok := selfProfile(config.Value(name, "credential_process")); !ok {
		a.warn(fmt.Sprintf("profile %s has no credential_process line that calls groat, so that SDKs find other credentials there or none; to write it: groat configure %s", quote(name), files.Word(name)))
	}
	return nil
}

// checkChildOpens: under --profile-env the command's SDKs call groat, which
// then has to open the vault without GROAT_FILE_PASSPHRASE: no child gets it.
func (c *execCmd) checkChildOpens(ctx context.Context, a *app, plan *planned) error {
	if _, given := a.lookupEnv(passphraseVariable); !given {
		return nil
	}
	for _, setting := range []string{"file-passphrase-file", "file-passphrase-command"} {
		if v, _, _, err := a.settings.value(setting); err == nil && v != "" {
			return nil // the child reads it from the same place
		}
	}
	v, err := a.vaults().of(plan)
	if err != nil || v.Backend() != "file" {
		return err
	}
	config, err := a.vaults().configure("file")
	if err != nil {
		return err
	}
	config.Passphrase = func(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
		return nil, "", vault.ErrLocked
	}
	config.Given, config.UnlockFor = nil, nil
	probe := vault.OpenFile(config)
	defer func() { _ = probe.Close() }()
	for _, kind := range []vault.Kind{vault.KindCard, vault.KindSession} {
		names, err := v.Names(ctx, kind)
		if err != nil || len(names) == 0 {
			continue
		}
		if _, err := probe.Get(ctx, kind, names[0]); errors.Is(err, vault.ErrLocked) {
			return fault.New(
				"with --profile-env the command's SDKs call groat, which could not open the vault: "+passphraseVariable+" is not passed on to commands",
				"use --server instead, or open the vault first: groat unlock",
				errUsage,
			)
		}
		return nil
	}
	return nil
}

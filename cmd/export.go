package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"groat/cmd/child"
	"groat/provider/profile"
	"groat/session"
	"groat/vault/fault"
	"groat/vault/files"
)

// exportCmd prints a profile's credentials for a shell or a file.
type exportCmd struct {
	Format            string `default:"export-env" enum:"export-env,env,json,sts,ini,fish,powershell,cmd" placeholder:"FORMAT" help:"One of ${enum} (default ${default})." group:"child"`
	ToCredentialsFile bool   `help:"Write them into the AWS credentials file instead, for tools that read nothing else." group:"child"`

	minting

	Profile string `arg:"" optional:"" help:"Profile to mint for (default AWS_PROFILE)."`
}

// Run mints and prints all of it, or nothing.
func (c *exportCmd) Run(ctx context.Context, a *app) error {
	name, err := a.profileToMint(ctx, c.Profile)
	if err != nil {
		return err
	}
	creds, plan, err := a.mint(ctx, name, c.minting)
	if err != nil {
		return err
	}
	if c.ToCredentialsFile {
		return c.toCredentialsFile(ctx, a, name, creds)
	}
	in := exportInput{Profile: name, Region: plan.Region, Credentials: creds}
	in.Stale = staleVariables(a.environ, in)
	text, err := export(c.Format, in)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.streams.Out, text)
	return outputError(err)
}

// toCredentialsFile writes session credentials, never a long-lived key, into
// a marked section of the AWS credentials file.
func (c *exportCmd) toCredentialsFile(ctx context.Context, a *app, name string, creds session.Credentials) error {
	if creds.SessionToken == "" {
		return usageError("these are a long-lived key, which is not written to disk",
			"leave out --no-session, or read them from groat export "+files.Word(name))
	}
	if st, err := os.Stat(a.paths.awsKeys); err == nil && runtime.GOOS != "windows" && st.Mode().Perm()&0o077 != 0 {
		return fault.New(
			fmt.Sprintf("other users may read %s (mode %04o)", a.paths.awsKeys, st.Mode().Perm()),
			"run: chmod 600 "+a.paths.awsKeys,
			profile.ErrUnsupported,
		)
	}
	_, err := profile.EditFile(ctx, a.paths.awsKeys, profile.EditOptions{Credentials: true}, func(d *profile.Document) error {
		return d.SetExported(name, creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken, child.FormatExpiration(creds.Expiration))
	})
	if err != nil {
		return err
	}
	a.say(fmt.Sprintf("wrote session credentials of profile %s to %s; to take them out: groat remove --sessions-only %s", quote(name), a.paths.awsKeys, files.Word(name)))
	c.warnOtherRoad(a, name)
	return nil
}

// warnOtherRoad warns where SDKs, which read the config file too, would not
// come to the exported credentials.
func (c *exportCmd) warnOtherRoad(a *app, name string) {
	config, err := a.aws.config()
	if err != nil {
		return
	}
	for _, key := range []string{"role_arn", "sso_session", "sso_start_url"} {
		if config.Value(name, key) != "" {
			a.warn(fmt.Sprintf("profile %s has %s in the config, which AWS SDKs follow first: only tools that read nothing but the credentials file use these; for SDKs run: groat configure %s", quote(name), key, files.Word(name)))
			return
		}
	}
}

// dropExported takes the exported session credentials of the wanted profiles
// out of the AWS credentials file.
func (f *awsFiles) dropExported(ctx context.Context, wanted func(profile string) bool) error {
	// Most credentials files hold none, and many people have no such file.
	config, err := f.config()
	if err != nil {
		return err
	}
	var any bool
	for _, name := range config.Names() {
		any = any || config.Value(name, profile.ExportedKey) != "" && wanted(name)
	}
	if _, err := os.Stat(f.paths.awsKeys); !any || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	n := 0
	_, err = profile.EditFile(ctx, f.paths.awsKeys, profile.EditOptions{Credentials: true}, func(d *profile.Document) error {
		n, err = d.DropExported(wanted)
		return err
	})
	if err == nil && n > 0 {
		f.say(fmt.Sprintf("took %d exported %s out of %s", n, plural(n, "session"), f.paths.awsKeys))
	}
	return err
}

package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// maxCLILogin bounds a file of the AWS CLI's cache: session tokens of 10 KB
// and more are known.
const maxCLILogin = 1 << 20

// signIns takes over what `aws login` keeps in plaintext. A sign-in can be
// renewed by one program alone, as each of its refresh tokens is good for one
// call: what is imported is no longer the AWS CLI's.
func (c *importCmd) signIns(ctx context.Context, a *app) error {
	dir := c.loginCache(a)
	found, err := c.findSignIns(ctx, a, dir)
	if err != nil {
		return err
	}
	failed := &failures{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(c.Profiles))) {
		if !slices.ContainsFunc(found, func(s cliSignIn) bool { return s.profile == name }) {
			failed.add(a, quote(name), fault.New(dir+" has no sign-in for this profile", "", vault.ErrNotFound))
			failed.of++
		}
	}
	failed.of += len(found)
	if failed.of == 0 {
		a.say(dir + " holds no sign-in of a profile")
		return nil
	}
	var lines []string
	for _, s := range found {
		line, err := c.takeSignIn(ctx, a, s)
		if err != nil && (ctx.Err() != nil || c.stops(err)) {
			return errors.Join(a.printLines(lines), err)
		}
		if err != nil {
			failed.add(a, quote(s.profile), err)
			continue
		}
		lines = append(lines, line)
	}
	if err := a.printLines(lines); err != nil {
		return err
	}
	if len(lines) > 0 && !c.DryRun && !c.DeleteSource {
		a.warn(fmt.Sprintf("the AWS CLI's own copy stops working at the next renewal; to remove it: groat import --from aws-login --delete-source, or delete %s", files.Word(dir)))
	}
	return failed.err("imported", "to replace what is stored: --overwrite")
}

// loginCache is where the AWS CLI and the SDKs keep sign-ins.
func (c *importCmd) loginCache(a *app) string {
	switch env := a.getenv("AWS_LOGIN_CACHE_DIRECTORY"); {
	case c.SourceDir != "":
		return c.SourceDir
	case env != "":
		return expandHome(env, a.paths.home)
	}
	return filepath.Join(a.paths.home, ".aws", "login", "cache")
}

// cliSignIn is a sign-in in the AWS CLI's cache, and a profile that uses it.
type cliSignIn struct {
	profile, path string
	plan          *planned
}

// findSignIns gives each file once, for the first of the profiles that use it.
func (c *importCmd) findSignIns(ctx context.Context, a *app, dir string) ([]cliSignIn, error) {
	config, err := a.aws.config()
	if err != nil {
		return nil, err
	}
	if err := config.Fatal(); err != nil {
		return nil, err
	}
	var found []cliSignIn
	for _, name := range config.Names() {
		arn := config.Value(name, "login_session")
		path := filepath.Join(dir, provider.CLILoginFile(arn))
		taken := slices.ContainsFunc(found, func(s cliSignIn) bool { return s.path == path })
		if arn == "" || taken || len(c.Profiles) > 0 && !slices.Contains(c.Profiles, name) {
			continue
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		plan, err := a.plan(ctx, name, minting{})
		if err != nil {
			return nil, err
		}
		if plan.Source.Kind == profile.SourceLogin && plan.Source.LoginSession == arn {
			found = append(found, cliSignIn{name, path, plan})
		}
	}
	return found, nil
}

// takeSignIn stores one, reads it back, and only then deletes the file, if
// nobody has written to it meanwhile.
func (c *importCmd) takeSignIn(ctx context.Context, a *app, s cliSignIn) (line string, err error) {
	arn := s.plan.Source.LoginSession
	data, err := files.Read(s.path, maxCLILogin, files.Steering)
	if err != nil {
		return "", fmt.Errorf("could not read the sign-in: %w", err)
	}
	taken, err := provider.ParseCLILogin(data, arn)
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.path, err)
	}
	v, err := a.vaults().of(s.plan)
	if err != nil {
		return "", err
	}
	if c.DryRun {
		return fmt.Sprintf("would import\t%s (%s)\t%s → %s", s.profile, arn, s.path, v.Backend()), nil
	}
	minter, err := a.minter(s.plan, minting{})
	if err != nil {
		return "", err
	}
	switch err := minter.TakeSignIn(ctx, s.plan.Plan, taken, c.Overwrite); {
	case errors.Is(err, provider.ErrKept):
		return "", fmt.Errorf("%w: a sign-in of %s in the %s vault", vault.ErrExists, arn, v.Backend())
	case err != nil:
		return "", err
	}
	if c.DeleteSource {
		switch now, err := files.Read(s.path, maxCLILogin, files.Steering); {
		case err != nil || !bytes.Equal(now, data):
			return "", fmt.Errorf("%s was changed meanwhile and is left alone: import it again", s.path)
		default:
			if err := os.Remove(s.path); err != nil {
				return "", fmt.Errorf("the sign-in is in the vault, but its file was not deleted: %w", err)
			}
		}
	}
	return fmt.Sprintf("imported\t%s (%s)\t%s → %s", s.profile, arn, s.path, v.Backend()), nil
}

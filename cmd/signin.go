package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/files"
)

// signinCmd signs a person in, so that a profile needs no access key.
type signinCmd struct {
	Remote  bool   `help:"The browser is on another machine: show a link, and ask for what its page shows." group:"child"`
	Region  string `placeholder:"REGION" help:"Region to sign in at (default the profile's)." group:"child"`
	Profile string `arg:"" optional:"" help:"Profile to sign in for (default AWS_PROFILE)."`
}

// Run signs in at the profile's source. A profile without any becomes one of
// whoever signs in.
func (c *signinCmd) Run(ctx context.Context, a *app) error {
	if c.Region != "" && !provider.IsAWSRegion(c.Region) {
		return usageError(fmt.Sprintf("--region: %q is not a valid region", c.Region), "write one such as eu-west-1")
	}
	name, err := a.profileOrPick(ctx, c.Profile)
	if err != nil {
		return err
	}
	source, err := c.source(ctx, a, name)
	if err != nil {
		return err
	}
	switch {
	case source.Kind == profile.SourceNone:
		return c.begin(ctx, a, name, source.Profile)
	case provider.SignInName(&source) != "":
		return c.again(ctx, a, name)
	}
	return usageError(fmt.Sprintf("profile %s gets its credentials from %s, without a sign-in", quote(name), provider.SourceWords(source.Kind)),
		"to see how: groat explain "+files.Word(name))
}

// source is where the profile's credentials come from: nowhere yet, where
// there is no such profile.
func (c *signinCmd) source(ctx context.Context, a *app, name string) (profile.Source, error) {
	r, err := a.resolve(ctx, name, minting{})
	if err == nil {
		return r.Source, nil
	}
	config, cerr := a.aws.config()
	if errors.Is(err, profile.ErrUnknownProfile) && cerr == nil && config.Fatal() == nil && !config.Exists(name) {
		return profile.Source{Kind: profile.SourceNone, Profile: name}, checkProfileName(name)
	}
	return profile.Source{}, err
}

// again signs in to a source that says where, and as whom.
func (c *signinCmd) again(ctx context.Context, a *app, name string) error {
	plan, err := a.plan(ctx, name, minting{})
	if err != nil {
		return err
	}
	switch {
	case c.Region == "":
	case plan.Source.Kind == profile.SourceSSO:
		return usageError(fmt.Sprintf("--region cannot be used with IAM Identity Center, whose region profile %s names", quote(name)), "leave --region out, or change sso_region")
	default:
		plan.Steps[0].Region = c.Region
	}
	minter, err := c.minter(a, plan)
	if err != nil {
		return err
	}
	defer a.prompts.release()
	if err := minter.SignInTo(ctx, plan.Plan); err != nil {
		return err
	}
	if sso := plan.Source.SSO; sso != nil {
		a.say(fmt.Sprintf("signed in to IAM Identity Center (%s) for profile %s", sso.StartURL, quote(name)))
		return nil
	}
	a.say(signedIn(name, plan.Source.LoginSession))
	return nil
}

func signedIn(name, arn string) string {
	return fmt.Sprintf("signed in as %s for profile %s; for up to 12 hours its credentials are renewed without asking", arn, quote(name))
}

// begin signs in as whoever the browser is, and writes that into the profile
// that has to have credentials.
func (c *signinCmd) begin(ctx context.Context, a *app, name, target string) error {
	o, err := a.callOptions(target, c.Region)
	if err != nil {
		return err
	}
	pairs := []profile.KeyValue{{Key: "login_session"}}
	write := c.Region
	if o.Region == "" {
		if o.Region, err = c.askRegion(ctx, a, name); err != nil {
			return err
		}
		write = o.Region
	}
	config, err := a.aws.config()
	if err != nil {
		return err
	}
	if write != "" && config.Value(target, "region") == "" {
		pairs = append(pairs, profile.KeyValue{Key: "region", Value: write})
	}
	minter, err := c.minter(a, &planned{Plan: &provider.Plan{Profile: name, Source: profile.Source{Kind: profile.SourceLogin, Profile: target}}})
	if err != nil {
		return err
	}
	defer a.prompts.release()
	o.Profile = name
	if pairs[0].Value, err = minter.SignInAs(ctx, o); err != nil {
		return err
	}
	if err := profile.SetKeys(ctx, a.paths.awsConfig, target, pairs...); err != nil {
		return err
	}
	a.say(signedIn(name, pairs[0].Value))
	for _, p := range pairs {
		a.say(fmt.Sprintf("wrote %s = %s to profile %s in %s", p.Key, p.Value, quote(target), a.paths.awsConfig))
	}
	return nil
}

// minter is one that signs in where the command says the browser is.
func (c *signinCmd) minter(a *app, plan *planned) (*provider.Minter, error) {
	m, err := a.minter(plan, minting{})
	if err == nil {
		m.SignIn = personSignIn{prompts: a.prompts, remote: c.Remote}
	}
	return m, err
}

// askRegion asks where to sign in: AWS Sign-In has no global endpoint.
func (*signinCmd) askRegion(ctx context.Context, a *app, name string) (string, error) {
	region, err := a.prompts.ui().Line(ctx, terminal.Question{
		Title:   fmt.Sprintf("AWS region of profile %s, where you sign in as well", quote(name)),
		Prompt:  "region",
		Default: "us-east-1",
		Check: func(answer []byte) string {
			if provider.IsAWSRegion(string(answer)) {
				return ""
			}
			return "that is not a valid region; write one such as eu-west-1"
		},
	})
	if err == nil || errors.Is(err, terminal.ErrInterrupted) || errors.Is(err, terminal.ErrCancelled) {
		return region, err
	}
	return "", usageError(fmt.Sprintf("no region is configured for profile %s, and it could not be asked for: %v", quote(name), err), "name one: groat signin "+files.Word(name)+" --region us-east-1")
}

// signoutCmd forgets sign-ins.
type signoutCmd struct {
	All     bool   `help:"Every sign-in." group:"child"`
	Profile string `arg:"" optional:"" help:"Profile to sign out of (default AWS_PROFILE)."`
}

// Run ends the sign-in and drops what was minted from it, for every profile
// that shares it.
func (c *signoutCmd) Run(ctx context.Context, a *app) error {
	if c.All && c.Profile != "" {
		return usageError("--all and the name of a profile cannot be used together", "leave one of them out")
	}
	vaults, err := a.vaults().Vaults()
	if err != nil {
		return err
	}
	if c.All {
		return c.forget(ctx, a, vaults, func(string) bool { return true })
	}
	name, err := a.profileOrPick(ctx, c.Profile)
	if err != nil {
		return err
	}
	r, err := a.resolve(ctx, name, minting{})
	if err != nil {
		return err
	}
	token := provider.SignInName(&r.Source)
	if token == "" {
		return usageError(fmt.Sprintf("profile %s gets its credentials from %s, without a sign-in", quote(name), provider.SourceWords(r.Source.Kind)), "to drop its sessions: groat clear "+files.Word(name))
	}
	return c.forget(ctx, a, vaults, func(name string) bool { return name == token })
}

// forget drops the sign-ins of these names, with what was minted from them.
func (*signoutCmd) forget(ctx context.Context, a *app, vaults []vault.Vault, ours func(token string) bool) error {
	config, err := a.aws.config()
	if err != nil {
		return err
	}
	minted, sources := map[string]bool{}, map[string]*profile.Source{}
	for _, name := range config.Names() {
		r, err := config.Resolve(name, profile.ResolveOptions{
			HoldsKey: a.vaults().holdsKey(ctx), Getenv: a.getenv, SelfProfile: selfProfile,
		})
		if err != nil {
			continue // nothing is minted for it
		}
		token := provider.SignInName(&r.Source)
		if token == "" || !ours(token) {
			continue
		}
		sources[token] = &r.Source
		minted[name], minted[r.Profile], minted[r.Source.Profile] = true, true, true
		for _, role := range r.Roles {
			minted[cmp.Or(role.Profile, r.Profile)] = true
		}
	}
	signIns, sessions := 0, 0
	var errs []error
	for _, v := range vaults {
		m := &provider.Minter{Tokens: itemStore{v, vault.KindToken}, Cache: a.vaults().sessions(v), Now: a.now, Proxy: a.proxy, Warn: a.warn, Debugf: a.debugf}
		names, err := m.Tokens.Names(ctx)
		errs = append(errs, err)
		for _, name := range names {
			if !ours(name) {
				continue
			}
			there, err := m.SignOut(ctx, name, sources[name])
			errs = append(errs, err)
			if there {
				signIns++
			}
		}
		n, err := a.vaults().sessions(v).Remove(ctx, func(e session.Entry) bool { return minted[e.Info.Profile] })
		sessions += n
		errs = append(errs, err)
	}
	errs = append(errs, a.aws.dropExported(ctx, func(name string) bool { return minted[name] }))
	a.say(fmt.Sprintf("forgot %d %s and dropped %d %s", signIns, plural(signIns, "sign-in"), sessions, plural(sessions, "session")))
	return errors.Join(errs...)
}

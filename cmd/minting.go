package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/session/flight"
	"groat/vault"
	"groat/vault/fault"
)

// resolved is a resolved profile, and the stored key that its credentials begin
// with: zero where they begin with none.
type resolved struct {
	*profile.Resolved
	key vault.Found
}

// planned is a plan, and the stored key that it was made for.
type planned struct {
	*provider.Plan
	key vault.Found
}

// resolve decides everything that the files decide about a profile.
func (a *app) resolve(ctx context.Context, name string, m minting) (*resolved, error) {
	r, err := a.resolveFor(ctx, name, m, false)
	if err != nil {
		return nil, err
	}
	for _, w := range r.Warnings {
		a.warn(w)
	}
	return r, nil
}

// resolveFor is resolve without a word of warnings; looking says that nothing
// will be carried out.
func (a *app) resolveFor(ctx context.Context, name string, m minting, looking bool) (*resolved, error) {
	keys := map[string]vault.Found{}
	o := profile.ResolveOptions{
		Looking: looking,
		HoldsKey: func(name string) (held bool, err error) {
			keys[name], held, err = a.vaults().findKey(ctx, name)
			return held, err
		},
		KeyNames:    a.vaults().Names,
		RoleARN:     m.RoleARN,
		MFASerial:   m.MFASerial,
		Region:      m.Region,
		Getenv:      a.getenv,
		SelfProfile: selfProfile,
	}
	if o.MFASerial == "" {
		o.MFASerial = a.getenv("AWS_MFA_SERIAL")
	}
	if err := checkMinting(m, o.MFASerial); err != nil {
		return nil, err
	}
	var err error
	if o.SessionPolicy, err = sessionPolicy(m); err != nil {
		return nil, err
	}
	if a.nameless && name == profile.EnvironmentProfile {
		r, err := profile.ResolveEnvironmentWebIdentity(o)
		return &resolved{Resolved: r}, err
	}
	config, err := a.aws.config()
	if err != nil {
		return nil, err
	}
	r, err := config.Resolve(name, o)
	if errors.Is(err, profile.ErrUnknownProfile) && !config.Exists(name) {
		if hint := a.vaults().Elsewhere(name); hint != "" {
			return nil, noKeyError(a.cli.Backend, name, hint)
		}
	}
	if errors.Is(err, profile.ErrUnknownProfile) {
		if what, remedy := a.aws.absent(); what != "" {
			return nil, fault.New(fmt.Sprintf("%s, so there is no profile %s", what, quote(name)), remedy, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return &resolved{r, keys[r.Source.Profile]}, nil
}

// checkMinting refuses values of the command line that no profile could make
// good. serial may also come from AWS_MFA_SERIAL.
func checkMinting(m minting, serial string) error {
	if m.RoleARN != "" {
		if _, err := profile.ParseRoleARN(m.RoleARN, "aws"); err != nil {
			return usageError(fmt.Sprintf("--role-arn: %q is not a role", m.RoleARN), "write arn:aws:iam::ACCOUNT:role/NAME or ACCOUNT:NAME")
		}
	}
	if m.Region != "" && !provider.IsRegion(m.Region) {
		return usageError(fmt.Sprintf("--region: %q is not a valid region", m.Region), "write one such as eu-west-1")
	}
	if serial != "" && serial != "none" && !provider.IsSerial(serial) {
		place := "--mfa-serial"
		if m.MFASerial == "" {
			place = "AWS_MFA_SERIAL"
		}
		return usageError(fmt.Sprintf("%s: %q is neither the ARN of a virtual MFA device nor a hardware serial number", place, serial),
			"write it as `groat mfa list` or the IAM console shows it: arn:aws:iam::ACCOUNT:mfa/NAME")
	}
	return nil
}

// plan decides what would be called for a profile.
func (a *app) plan(ctx context.Context, name string, m minting) (*planned, error) {
	r, err := a.resolve(ctx, name, m)
	if err != nil {
		return nil, err
	}
	return a.planOf(r, m)
}

func (a *app) planOf(r *resolved, m minting) (*planned, error) {
	var card *provider.Card
	if r.Source.Kind == profile.SourceKey {
		a.vaults().nudge(r.key.Card)
		c := keyCard(r.key.Card)
		card = &c
	}
	o := a.options(r.Resolved, m)
	var err error
	if o.AgentRule, err = a.settings.agentRule(o.Agent); err != nil {
		return nil, err
	}
	p, err := provider.NewPlan(r.Resolved, card, o)
	var bounds *provider.BoundsError
	if errors.As(err, &bounds) {
		return nil, usageError(fmt.Sprintf("%s is %s, and %v", a.lifetimeFlag(bounds, m), provider.ShortDuration(bounds.Given), err), "")
	}
	if errors.Is(err, provider.ErrNarrow) && (m.NoSession || len(m.PolicyARN) > 0) {
		return nil, usageError(err.Error(), fault.Hint(err))
	}
	if errors.Is(err, provider.ErrNoKey) {
		if hint := a.vaults().Elsewhere(cmp.Or(r.Source.Profile, r.Profile)); hint != "" {
			return nil, fault.New(err.Error(), hint, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return &planned{p, r.key}, nil
}

// options are the lifetimes that the flags ask for: the one that names its
// step wins over --duration, which may be longer than a role's where there is
// no role.
func (a *app) options(r *profile.Resolved, m minting) provider.Options {
	o := provider.Options{
		SessionTTL:    time.Duration(m.SessionTTL),
		AssumeRoleTTL: time.Duration(m.AssumeRoleTTL),
		NoSession:     m.NoSession,
		OSUser:        a.osUser(),
		Agent:         a.agent(),
	}
	// What stands on the command line wins over what comes from a variable or
	// from config.json.
	weaker := func(ttl time.Duration, setting string) bool {
		return ttl == 0 || m.Duration != 0 && a.settings.from[setting] != ""
	}
	if weaker(o.SessionTTL, "session-ttl") {
		o.SessionTTL = time.Duration(m.Duration)
	}
	if weaker(o.AssumeRoleTTL, "assume-role-ttl") && r.AssumesRole() {
		o.AssumeRoleTTL = time.Duration(m.Duration)
	}
	return o
}

// lifetimeFlag is what asked for a lifetime that AWS would refuse.
func (a *app) lifetimeFlag(e *provider.BoundsError, m minting) string {
	flag, own := "session-ttl", m.SessionTTL
	if e.What == "role" {
		flag, own = "assume-role-ttl", m.AssumeRoleTTL
	}
	if time.Duration(own) != e.Given {
		flag = "duration"
	}
	if place := a.settings.from[flag]; place != "" {
		return place
	}
	return "--" + flag
}

// minter wires vault, cache and prompts for one plan.
func (a *app) minter(p *planned, m minting) (*provider.Minter, error) {
	v, err := a.vaults().of(p)
	if err != nil {
		return nil, err
	}
	return &provider.Minter{
		Keys: a.vaults(),
		Cache: &session.Cache{
			Store: sessionStore(v),
			Flight: flight.Group{
				Dir:      a.vaults().LockDir(v),
				Warn:     a.warn,
				Debugf:   a.debugf,
				Waiting:  a.prompts.waitingFor(p),
				Outcomes: provider.Outcomes{CodeGiven: m.MFACode != ""},
			},
			Now:      a.now,
			MinTTL:   time.Duration(m.MinTTL),
			Disabled: m.NoCache,
			Warn:     a.warn,
			Debugf:   a.debugf,
			StaleOn:  provider.ErrUnreachable,
			OnMiss:   a.prompts.heedSignals,
		},
		MFACode: m.MFACode,
		Seeds:   vaultSeeds{v},
		Codes:   personCodes{a.prompts},
		Tokens:  itemStore{v, vault.KindToken},
		Assumed: a.vaults().assumed,
		SignIn:  personSignIn{prompts: a.prompts}, AskUntil: a.prompts.until(),
		Machine: os.Hostname,
		Now:     a.now,
		Wait:    a.wait,
		Proxy:   a.proxy,
		Getenv:  a.getenv,
		Warn:    a.warn,
		Debugf:  a.debugf,
		Environ: child.Helper(a.environ), Run: child.Run,
		Stderr: a.streams.Err,
	}, nil
}

// mint answers with a profile's credentials: from the cache, else from AWS.
func (a *app) mint(ctx context.Context, name string, m minting) (session.Credentials, *planned, error) {
	defer a.prompts.release()
	return a.mintBy(ctx, func() (*planned, *provider.Minter, error) { return a.prepare(ctx, name, m) })
}

// mintBy mints what prepare has planned. A key that was replaced while this
// one waited gets a new plan, once.
func (a *app) mintBy(ctx context.Context, prepare func() (*planned, *provider.Minter, error)) (session.Credentials, *planned, error) {
	for again := false; ; again = true {
		p, minter, err := prepare()
		if err != nil {
			return session.Credentials{}, nil, err
		}
		for _, w := range p.Warnings {
			a.warn(w)
		}
		creds, err := a.handOut(ctx, p, minter)
		if again || !errors.Is(err, provider.ErrKeyReplaced) {
			return creds, p, err
		}
		a.debugf("%v", err)
	}
}

// prepare decides what would be called for a profile, and by whom.
func (a *app) prepare(ctx context.Context, name string, m minting) (*planned, *provider.Minter, error) {
	p, err := a.plan(ctx, name, m)
	if err != nil {
		return nil, nil, err
	}
	minter, err := a.minter(p, m)
	return p, minter, err
}

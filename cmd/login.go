package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/vault/files"
)

// loginCmd signs a browser in to the AWS console.
type loginCmd struct {
	Stdout          bool   `help:"Print the link instead of opening it; it is a secret for 15 minutes." group:"child"`
	Destination     string `placeholder:"PAGE" xor:"page" help:"A service's short name (s3, ec2, iam) or a URL of the console." group:"child"`
	Path            string `placeholder:"PATH" xor:"page" help:"A path of the console, such as s3/buckets/NAME." group:"child"`
	ConsoleDuration ttl    `name:"console-duration" placeholder:"D" help:"Lifetime of the console session, 15m to 12h (default the credentials')." group:"child"`
	SignOutFirst    bool   `help:"End the browser's console session before." group:"child"`

	minting

	Profile string `arg:"" optional:"" help:"Profile to mint for (default AWS_PROFILE)."`
}

// Run mints, exchanges the credentials for a link, and hands the link over.
func (c *loginCmd) Run(ctx context.Context, a *app) error {
	name, err := a.profileToMint(ctx, c.Profile)
	if err != nil {
		return err
	}
	duration := time.Duration(c.ConsoleDuration)
	if duration != 0 && (duration < provider.MinConsoleDuration || duration > provider.MaxConsoleDuration) {
		return usageError(fmt.Sprintf("--console-duration %s is not between %s and %s", c.ConsoleDuration, provider.MinConsoleDuration, provider.MaxConsoleDuration), "run: groat login --help")
	}
	plan, federate, err := c.plan(ctx, a, name)
	if err != nil {
		return err
	}
	call, err := c.call(a, plan, name)
	if err != nil {
		return err
	}
	signin := provider.ConsoleSignin{CallOptions: call, Partition: plan.Steps[len(plan.Steps)-1].Partition, Duration: duration}
	page, err := signin.Destination(c.Destination, c.Path)
	if err != nil {
		return err
	}
	creds, err := c.credentials(ctx, a, plan, federate, name, call)
	if err != nil {
		return err
	}
	link, err := c.link(ctx, signin, page, creds, plan)
	if err != nil {
		return err
	}
	if c.Stdout {
		_, err := io.WriteString(a.streams.Out, link+"\n")
		return outputError(err)
	}
	if err := openPrivately(ctx, a.environment, a.output, link); err != nil {
		return err
	}
	a.say(fmt.Sprintf("the browser signs in to the console with profile %s", quote(name)))
	return nil
}

// plan takes the road on which AWS grants a console duration, if one is asked.
// federate narrows the user of a stored key, whose sessions the console does
// not take: only a federation token signs in.
func (c *loginCmd) plan(ctx context.Context, a *app, name string) (plan *planned, federate profile.SessionPolicy, err error) {
	r, err := a.resolve(ctx, name, c.minting)
	if err != nil {
		return nil, federate, err
	}
	if r.Source.Kind == profile.SourceKey {
		federate, r.SessionPolicy = r.SessionPolicy, profile.SessionPolicy{}
	}
	plan, err = a.planOf(r, c.minting)
	if err == nil && plan.Steps[len(plan.Steps)-1].Operation == provider.OpKey {
		err = usageError(sessionsOnly, "leave --no-session out")
	}
	if err != nil || c.ConsoleDuration == 0 || plan.ConsoleDuration() {
		return plan, federate, err
	}
	straight := c.minting
	straight.NoSession = true
	if plan, err = a.planOf(r, straight); err != nil {
		return nil, federate, err
	}
	if !plan.ConsoleDuration() {
		return nil, federate, usageError("AWS accepts a console duration only for one role assumed straight from a long-lived key or a web identity, and profile "+quote(name)+" has another chain",
			"leave --console-duration out: the console session then lasts as long as the credentials")
	}
	return plan, federate, nil
}

// credentials are the plan's, or a federation token's.
func (c *loginCmd) credentials(ctx context.Context, a *app, plan *planned, federate profile.SessionPolicy, name string, call provider.CallOptions) (session.Credentials, error) {
	for _, w := range plan.Warnings {
		a.warn(w)
	}
	if federate.Narrows() {
		return c.federated(ctx, a, plan, federate, name, call)
	}
	minter, err := a.minter(plan, c.minting)
	if err != nil {
		return session.Credentials{}, err
	}
	creds, err := a.handOut(ctx, plan, minter)
	if err == nil && creds.SessionToken == "" {
		err = usageError(sessionsOnly, "profile "+quote(name)+" gives a long-lived key")
	}
	return creds, err
}

const sessionsOnly = "the console takes session credentials only"

// federated asks for a federation token: the console refuses the session of
// a user's own key.
func (c *loginCmd) federated(ctx context.Context, a *app, plan *planned, policy profile.SessionPolicy, name string, call provider.CallOptions) (session.Credentials, error) {
	if err := a.consent(ctx, plan); err != nil {
		a.logHandOut(plan, session.Credentials{}, false, err)
		return session.Credentials{}, err
	}
	key, err := a.vaults().Key(ctx, plan.Source.Profile)
	if err != nil {
		return session.Credentials{}, err
	}
	user := name
	if plan.Card != nil && plan.Card.UserName != "" {
		user = plan.Card.UserName
	}
	lifetime := cmp.Or(time.Duration(c.SessionTTL), time.Duration(c.Duration), provider.MaxConsoleDuration)
	creds, err := provider.FederationToken(ctx, call, key, user, lifetime, policy.PolicyARNs, policy.Policy)
	a.logHandOut(plan, creds, false, err)
	return creds, err
}

// call says for whom and where login calls AWS.
func (c *loginCmd) call(a *app, plan *planned, name string) (provider.CallOptions, error) {
	return callTo(a, name, cmp.Or(plan.Region, plan.Steps[len(plan.Steps)-1].Region), plan.Source.Endpoints)
}

// link exchanges the credentials for the link.
func (c *loginCmd) link(ctx context.Context, signin provider.ConsoleSignin, page string, creds session.Credentials, plan *planned) (string, error) {
	token, err := signin.Token(ctx, creds)
	if err != nil {
		return "", explainConsole(err, plan)
	}
	link, err := signin.URL(token, page)
	if err == nil && c.SignOutFirst {
		link, err = signin.SignOutFirst(link)
	}
	return link, err
}

// explainConsole adds the remedy: the sign-in endpoint gives no reasons.
func explainConsole(err error, plan *planned) error {
	var call *provider.CallError
	if !errors.As(err, &call) || !errors.Is(err, provider.ErrRefused) || call.Remedy != "" {
		return err
	}
	call.Remedy = "the credentials may have been revoked: groat clear " + files.Word(plan.Profile)
	if plan.Steps[len(plan.Steps)-1].Operation == provider.OpGetSessionToken {
		call.Remedy = "the console takes no session of a user's own key: log in with a role's profile, or give --policy-arn for a federation token"
	}
	return err
}

package cmd

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/provider/profile"
	"groat/session"
)

// execCmd runs a command, or a subshell, with a profile's credentials.
type execCmd struct {
	Server     bool `short:"s" aliases:"ecs-server" xor:"way" help:"Serve credentials that stay fresh to the command, as ECS does." group:"child"`
	IMDS       bool `name:"imds" aliases:"ec2-server" xor:"way" help:"Serve them as EC2's instance metadata (IMDSv2)." group:"child"`
	TokenFile  bool `name:"token-file" help:"With --server: name a file that holds the token, not the token." group:"child"`
	ProfileEnv bool `name:"profile-env" xor:"way" help:"Set AWS_PROFILE instead of keys: SDKs then renew them by credential_process." group:"child"`
	Nested     bool `help:"Allow a subshell in a subshell." group:"child"`

	minting

	Profile string   `arg:"" optional:"" help:"Profile to mint for (default AWS_PROFILE)."`
	Command []string `arg:"" optional:"" passthrough:"partial" name:"cmd" help:"Command to run; none: a subshell."`
}

// setHead takes the words before "--" as they were given: of a command that
// began there, the parser has changed the bytes that are no UTF-8.
func (c *execCmd) setHead(words []string) { c.Command = words[len(words)-len(c.Command):] }

// setTail takes the words after "--": they are the command, never a profile.
func (c *execCmd) setTail(words []string) { c.Command = withTail(c.Command, words) }

// withTail joins a command that began before "--" and what follows: the
// first "--" belongs to groat only if no command had begun.
func withTail(command, tail []string) []string {
	if len(command) == 0 {
		return tail
	}
	return slices.Concat(command, []string{"--"}, tail)
}

// Run mints first, so that a code is asked before anything starts, and then
// becomes the command.
func (c *execCmd) Run(ctx context.Context, a *app) error {
	if outer := a.getenv("GROAT_PROFILE"); outer != "" && len(c.Command) == 0 && !c.Nested {
		return usageError(fmt.Sprintf("this is already a subshell of groat, for profile %s", quote(outer)),
			"leave it with exit, name a command to run (groat exec PROFILE -- CMD), or give --nested")
	}
	name, err := a.profileToMint(ctx, c.Profile)
	if err != nil {
		return err
	}
	run, err := c.command(a)
	if err != nil {
		return err
	}
	if err := c.checkWay(a, name); err != nil {
		return err
	}
	if c.IMDS {
		c.minting = c.forMetadata()
	}
	creds, plan, err := a.mint(ctx, name, c.minting)
	if err != nil {
		return err
	}
	if c.ProfileEnv {
		if err := c.checkChildOpens(ctx, a, plan); err != nil {
			return err
		}
	}
	if c.Server || c.IMDS {
		return c.withServer(ctx, a, run, creds, plan, name)
	}
	return c.replace(ctx, a, run, creds, plan, name)
}

// command finds what to run before anything is minted for it.
func (c *execCmd) command(a *app) (command, error) {
	if len(c.Command) == 0 {
		return userShell(a.getenv), nil
	}
	return findCommand(c.Command)
}

// withServer runs the command beside a server of its own, with a token of
// its own, for as long as the command runs.
func (c *execCmd) withServer(ctx context.Context, a *app, run command, creds session.Credentials, plan *planned, name string) error {
	s := served{
		Profile: name, Minting: c.minting, Metadata: c.IMDS, TokenFile: c.TokenFile,
	}
	server, stop, err := s.start(ctx, a, creds, plan.Region)
	if err != nil {
		return err
	}
	environ := child.Env{Profile: name, Region: plan.Region, Server: server}.Environ(a.environ)
	if len(c.Command) == 0 {
		c.banner(a, name, time.Time{})
	}
	status, err := runChild(run, environ)
	stop()
	a.close()
	return ended(status, err)
}

// replace hands this process over to the command.
func (c *execCmd) replace(ctx context.Context, a *app, run command, creds session.Credentials, plan *planned, name string) error {
	environ := child.Env{Profile: name, Region: plan.Region, Credentials: creds, ProfileEnv: c.ProfileEnv}.Environ(a.environ)
	if len(c.Command) == 0 {
		c.banner(a, name, creds.Expiration)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	a.close()
	if runtime.GOOS != "windows" {
		return replaceProcess(run, environ)
	}
	status, err := runChild(run, environ)
	return ended(status, err)
}

// ended makes the child's end ours.
func ended(status childStatus, err error) error {
	if err != nil {
		return err
	}
	if status.Signal != 0 {
		dieOf(status.Signal)
	}
	if status.Code != 0 {
		return exitStatus(status.Code)
	}
	return nil
}

// banner says once, on stderr, what the new prompt belongs to.
func (c *execCmd) banner(a *app, profile string, expiration time.Time) {
	until := ""
	if !expiration.IsZero() {
		left := expiration.Sub(a.now()).Round(time.Minute)
		until = fmt.Sprintf(", for %s until %s", provider.ShortDuration(left), expiration.Local().Format("15:04"))
	}
	a.say(fmt.Sprintf("subshell with credentials of profile %s%s; leave it with exit or Ctrl-D", quote(profile), until))
}

// profileToMint is the profile to mint for. Where none is named, a web
// identity that the environment describes comes before the question.
func (a *app) profileToMint(ctx context.Context, name string) (string, error) {
	if name == "" && a.getenv("AWS_PROFILE") == "" && profile.NamesWebIdentity(a.getenv) {
		a.nameless = true
		return profile.EnvironmentProfile, nil
	}
	return a.profileOrPick(ctx, name)
}

// profileOrPick is the profile named, else AWS_PROFILE, else what a person
// picks on the terminal.
func (a *app) profileOrPick(ctx context.Context, name string) (string, error) {
	if name == "" {
		name = a.getenv("AWS_PROFILE")
	}
	if name != "" {
		return name, nil
	}
	a.prompts.heedSignals()
	noProfile := usageError("no profile named and AWS_PROFILE is not set", "name one, or set AWS_PROFILE; `groat list` shows them")
	if a.prompts.ui().CanConfirm() != nil {
		return "", noProfile
	}
	names, err := a.pickable(ctx)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", noProfile
	}
	i, err := a.prompts.ui().Choose(ctx, "which profile?", names)
	if err != nil {
		return "", fmt.Errorf("no profile was chosen: %w", err)
	}
	return names[i], nil
}

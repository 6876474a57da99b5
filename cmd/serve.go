package cmd

import (
	"context"
	"fmt"
	"io"
)

// serveCmd serves a profile's credentials until it is stopped.
type serveCmd struct {
	Port      int    `default:"0" placeholder:"PORT" help:"Loopback port (default a random one)." group:"child"`
	IMDS      bool   `name:"imds" help:"Serve as EC2's instance metadata (IMDSv2)." group:"child"`
	IMDSV1    bool   `name:"imds-v1" help:"Answer IMDSv1 too: without any token." group:"child"`
	AnyUser   bool   `help:"Let processes of other users ask for instance metadata (Linux tells them apart)." group:"child"`
	TokenFile bool   `name:"token-file" help:"Name a file that holds the token, not the token." group:"child"`
	Format    string `default:"export-env" enum:"export-env,env,fish,powershell,cmd" placeholder:"FORMAT" help:"How the variables are printed: ${enum}." group:"child"`

	minting

	Profile string `arg:"" help:"Profile to mint for."`
}

// Run prints the variables that clients need and serves. To be stopped by a
// signal is its normal end.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	if c.Port < 0 || c.Port > 65535 {
		return usageError(fmt.Sprintf("port %d is not between 0 and 65535", c.Port), "leave --port out for a random one")
	}
	if c.IMDS || c.IMDSV1 {
		c.minting = c.forMetadata()
	}
	creds, plan, err := a.mint(ctx, c.Profile, c.minting)
	if err != nil {
		return err
	}
	s := served{
		Profile: c.Profile, Minting: c.minting, Port: c.Port, Metadata: c.IMDS || c.IMDSV1,
		V1: c.IMDSV1, AnyUser: c.AnyUser, TokenFile: c.TokenFile,
	}
	env, stop, err := s.start(ctx, a, creds, plan.Region)
	if err != nil {
		return err
	}
	defer stop()
	text, err := lineFormats[c.Format].print(env.Variables(), nil)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(a.streams.Out, text); err != nil {
		return outputError(err)
	}
	a.say(fmt.Sprintf("serving credentials of profile %s on this machine's loopback; stop with Ctrl-C", quote(c.Profile)))
	<-ctx.Done()
	return errDone
}

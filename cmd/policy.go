package cmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"groat/provider/iam"
)

// policyCmd prints an IAM policy document to attach.
type policyCmd struct {
	Document  string `arg:"" enum:"require-mfa,self-service,assume-role-trust,rotate-own-key,revoke-sessions,allow-signin" help:"require-mfa, self-service, assume-role-trust, rotate-own-key, revoke-sessions or allow-signin."`
	Format    string `default:"json" enum:"json,terraform,cloudformation" placeholder:"FORM" help:"One of ${enum}."`
	Account   string `placeholder:"ID" help:"Account of the users, twelve digits (default any)."`
	Partition string `default:"aws" placeholder:"NAME" help:"Partition of the account: aws, aws-cn, aws-us-gov…"`
	MaxAge    ttl    `placeholder:"D" help:"Age at which a token code no longer counts, for require-mfa and assume-role-trust (default 8h)."`
}

var policies = map[string]func(iam.PolicyOptions) iam.Document{
	"require-mfa":       iam.RequireMFA,
	"self-service":      iam.SelfService,
	"assume-role-trust": iam.AssumeRoleTrust,
	"rotate-own-key":    iam.RotateOwnKey,
	"revoke-sessions":   iam.RevokeSessions,
	"allow-signin":      iam.AllowSignIn,
}

// Run prints the document and nothing else on stdout.
func (c *policyCmd) Run(_ context.Context, a *app) error {
	o := iam.PolicyOptions{Partition: c.Partition, Account: c.Account, MaxAge: time.Duration(c.MaxAge), Now: a.now()}
	takesAge := c.Document == "require-mfa" || c.Document == "assume-role-trust"
	switch {
	case c.Account != "" && (len(c.Account) != 12 || strings.Trim(c.Account, "0123456789") != ""):
		return usageError(fmt.Sprintf("--account: %q is not an account ID of twelve digits", c.Account), "")
	case !strings.HasPrefix(c.Partition, "aws") || strings.Trim(c.Partition, "abcdefghijklmnopqrstuvwxyz-") != "":
		return usageError(fmt.Sprintf("--partition: %q is not a partition", c.Partition), "write aws, aws-cn, aws-us-gov or the like")
	case o.MaxAge != 0 && !takesAge:
		return usageError("--max-age is for require-mfa and assume-role-trust only", "")
	case c.Account == "" && c.Document == "assume-role-trust":
		return usageError("a trust policy must say whose users it trusts, and --account is missing", "give --account and the twelve digits of their account")
	}
	if o.MaxAge == 0 && takesAge {
		o.MaxAge = 8 * time.Hour
	}
	if o.Account == "" {
		o.Account = "*"
		if c.Document == "self-service" || c.Document == "rotate-own-key" {
			a.say("the document names no account, so * is written for it; to name yours, give --account")
		}
	}
	d := policies[c.Document](o)
	text := d.JSON()
	switch c.Format {
	case "terraform":
		text = d.Terraform(c.Document)
	case "cloudformation":
		text = d.CloudFormation(c.Document)
	}
	return a.printText(text)
}

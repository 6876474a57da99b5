package provider

import (
	"context"
	"fmt"

	"groat/session"
)

// environment takes the credentials of credential_source = Environment.
func (r *run) environment(context.Context, *Step) (session.Credentials, error) {
	creds := session.Credentials{
		AccessKeyID:     r.m.getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: r.m.getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    r.m.getenv("AWS_SESSION_TOKEN"),
		AccountID:       r.m.getenv("AWS_ACCOUNT_ID"),
	}
	if creds.AccessKeyID == "" || creds.SecretAccessKey == "" {
		return session.Credentials{}, fmt.Errorf("profile %q has credential_source = Environment, but AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set: %w", r.plan.Source.Profile, ErrNoKey)
	}
	return creds, nil
}

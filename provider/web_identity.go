package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/session"
	"groat/vault/files"
)

// maxIdentityToken is AWS's limit for WebIdentityToken, in characters.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
const maxIdentityToken = 20000

// webIdentity calls sts:AssumeRoleWithWebIdentity, which nobody signs: the
// token is the proof.
func (r *run) webIdentity(ctx context.Context, step *Step) (session.Credentials, error) {
	w := r.plan.Source.WebIdentity
	o, err := r.m.callOptions(step)
	if err != nil {
		return session.Credentials{}, err
	}
	fail := func(err error) (session.Credentials, error) {
		err = o.callError(ctx, "sts:AssumeRoleWithWebIdentity", w.RoleARN, err)
		return session.Credentials{}, explain(err, refusal{plan: r.plan, region: step.Region})
	}
	client, err := o.stsClient(aws.AnonymousCredentials{}, retryAll())
	if err != nil {
		return fail(err)
	}
	token, err := r.identityToken(ctx, step)
	if err != nil {
		return session.Credentials{}, err
	}
	o.debugf("calling sts:AssumeRoleWithWebIdentity of %s in %s for profile %q (%s, session name %q)",
		w.RoleARN, step.Region, step.Profile, ShortDuration(step.Duration), step.SessionName)
	in := &sts.AssumeRoleWithWebIdentityInput{
		RoleArn:          aws.String(w.RoleARN),
		RoleSessionName:  aws.String(step.SessionName),
		WebIdentityToken: aws.String(token),
		DurationSeconds:  aws.Int32(int32(step.Duration.Seconds())),
		PolicyArns:       policyARNs(step.PolicyARNs),
	}
	if step.Policy != "" {
		in.Policy = aws.String(step.Policy)
	}
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	out, err := client.AssumeRoleWithWebIdentity(bounded, in)
	if err != nil {
		return fail(err)
	}
	return credentialsFrom(out.Credentials, accountOf(w.RoleARN), fail)
}

// identityToken reads the token anew for every call: its file is rewritten
// while the old token is still good.
func (r *run) identityToken(ctx context.Context, step *Step) (string, error) {
	w := r.plan.Source.WebIdentity
	if w.TokenProcess != "" {
		out, err := r.m.runLine(ctx, "web_identity_token_process", r.plan.Chain, w.TokenProcess, processTimeout)
		if err != nil {
			return "", err
		}
		return checkIdentityToken(string(out), step.Profile, "what web_identity_token_process printed")
	}
	data, err := files.Read(w.TokenFile, maxIdentityToken+2, files.Steering)
	if err != nil {
		return "", unreadable(err, fmt.Sprintf("could not read the web identity token of profile %q from %s", step.Profile, w.TokenFile),
			"web_identity_token_file must name a file with the token of your identity provider")
	}
	return checkIdentityToken(string(data), step.Profile, "web_identity_token_file")
}

func checkIdentityToken(token, name, from string) (string, error) {
	token = strings.TrimSpace(token)
	if len(token) < 4 || len(token) > maxIdentityToken || strings.ContainsAny(token, " \t\r\n") {
		return "", malformed(name, "", "%s is not one token of 4 to %d characters", from, maxIdentityToken)
	}
	return token, nil
}

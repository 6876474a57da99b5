package provider

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"groat/session"
)

// assumeRole calls sts:AssumeRole with the parent's credentials, or with a
// long-lived key.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (r *run) assumeRole(ctx context.Context, o CallOptions, parent session.Credentials, step *Step, code string) (session.Credentials, error) {
	role := step.Role
	in := &sts.AssumeRoleInput{
		RoleArn:           aws.String(role.RoleARN),
		RoleSessionName:   aws.String(step.SessionName),
		DurationSeconds:   aws.Int32(int32(step.Duration.Seconds())),
		TransitiveTagKeys: role.TransitiveTags,
		PolicyArns:        policyARNs(step.PolicyARNs),
	}
	if role.ExternalID != "" {
		in.ExternalId = aws.String(role.ExternalID)
	}
	if role.SourceIdentity != "" {
		in.SourceIdentity = aws.String(role.SourceIdentity)
	}
	if step.Policy != "" {
		in.Policy = aws.String(step.Policy)
	}
	for _, tag := range role.Tags {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(tag.Key), Value: aws.String(tag.Value)})
	}
	retryer := retryAll()
	if code != "" {
		in.SerialNumber, in.TokenCode = aws.String(step.MFASerial), aws.String(code)
		retryer = retryUntaken()
	}
	fail := func(err error) (session.Credentials, error) {
		return session.Credentials{}, o.callError(ctx, "sts:AssumeRole", role.RoleARN, err)
	}
	client, err := o.stsClient(signer(parent), retryer)
	if err != nil {
		return fail(err)
	}
	o.debugf("calling sts:AssumeRole of %s in %s for profile %q (MFA: %v, %s, session name %q)",
		role.RoleARN, step.Region, step.Profile, code != "", ShortDuration(step.Duration), step.SessionName)
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	out, err := client.AssumeRole(bounded, in)
	if err != nil {
		return fail(err)
	}
	creds, err := credentialsFrom(out.Credentials, accountOf(role.RoleARN), fail)
	if err == nil && r.m.Assumed != nil {
		r.m.Assumed(r.plan.Source.Profile, role.RoleARN, creds.Expiration)
	}
	return creds, err
}

func policyARNs(arns []string) []types.PolicyDescriptorType {
	var out []types.PolicyDescriptorType
	for _, arn := range arns {
		out = append(out, types.PolicyDescriptorType{Arn: aws.String(arn)})
	}
	return out
}

// accountOf is the account that an ARN names; "" if it names none.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

var errIncomplete = errors.New("the answer holds no credentials")

// credentialsFrom takes the credentials out of an answer of STS; half an
// answer is none.
func credentialsFrom(c *types.Credentials, account string, fail func(error) (session.Credentials, error)) (session.Credentials, error) {
	if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" || aws.ToString(c.SessionToken) == "" || c.Expiration == nil {
		return fail(errIncomplete)
	}
	return session.Credentials{
		AccessKeyID:     *c.AccessKeyId,
		SecretAccessKey: *c.SecretAccessKey,
		SessionToken:    *c.SessionToken,
		AccountID:       account,
		Expiration:      c.Expiration.UTC(),
	}, nil
}

package provider

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/session"
)

// getSessionToken calls sts:GetSessionToken with a long-lived key.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func (*run) getSessionToken(ctx context.Context, o CallOptions, key session.Credentials, step *Step, code string) (session.Credentials, error) {
	in := &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(int32(step.Duration.Seconds()))}
	retryer := retryAll()
	if code != "" {
		in.SerialNumber, in.TokenCode = aws.String(step.MFASerial), aws.String(code)
		retryer = retryUntaken()
	}
	fail := func(err error) (session.Credentials, error) {
		return session.Credentials{}, o.callError(ctx, "sts:GetSessionToken", "", err)
	}
	client, err := o.stsClient(signer(key), retryer)
	if err != nil {
		return fail(err)
	}
	o.debugf("calling sts:GetSessionToken in %s for profile %q (MFA: %v, %s)", step.Region, step.Profile, code != "", ShortDuration(step.Duration))
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	out, err := client.GetSessionToken(bounded, in)
	if err != nil {
		return fail(err)
	}
	return credentialsFrom(out.Credentials, key.AccountID, fail)
}

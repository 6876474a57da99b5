package provider

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// ClockSkew is how far AWS's clock is ahead of this machine's, in whole
// seconds. It calls STS without credentials, whose refusal is dated. Errors
// wrap ErrUnreachable, ErrInterrupted or a profile error.
func ClockSkew(ctx context.Context, o CallOptions) (time.Duration, error) {
	client, err := o.stsClient(aws.AnonymousCredentials{}, aws.NopRetryer{})
	if err != nil {
		return 0, err
	}
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	_, err = client.GetCallerIdentity(bounded, &sts.GetCallerIdentityInput{})
	if err == nil {
		return 0, nil
	}
	err = o.callError(ctx, "sts:GetCallerIdentity", "", err)
	if e := (*CallError)(nil); errors.As(err, &e) && e.Status != 0 {
		return e.Skew, nil
	}
	return 0, err
}

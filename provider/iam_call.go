package provider

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/session"
)

// CallIAM makes one call of IAM ("ListMFADevices"), by do, with a client that
// signs with the credentials. Errors are *CallError, with a remedy where one is
// known: ErrRefused or ErrUnreachable.
func CallIAM(ctx context.Context, o CallOptions, creds session.Credentials, operation string, do func(context.Context, *iam.Client) error) error {
	operation = "iam:" + operation
	retryer := retryAll()
	if o.Once {
		retryer = retryUntaken()
	}
	client, err := o.iamClient(signer(creds), retryer)
	if err == nil {
		o.debugf("calling %s for profile %q", operation, o.Profile)
		bounded, cancel := o.bounded(ctx)
		defer cancel()
		err = do(bounded, client)
	}
	if err == nil {
		return nil
	}
	return explain(o.callError(ctx, operation, "", err), refusal{creds: creds, region: o.region()})
}

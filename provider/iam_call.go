package provider

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/session"
)

// CallIAM makes one call of IAM ("ListMFADevices"), by do, with a client that
// signs with the credentials. Errors are *CallError, with a remedy where one is
// known: ErrRefused or ErrUnreachable.
func CallIAM(ctx context.Context, o CallOptions, creds session.Credentials, operation string, do func(context.Context, *iam.Client) error) error {
	operation = "iam:" + operation
	client, err := o.iamClient(signer(creds))
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

// iamClient makes a client of the SDK for IAM.
func (o CallOptions) iamClient(creds aws.CredentialsProvider) (*iam.Client, error) {
	where, err := endpointFor(serviceIAM, o.region(), o.Endpoints)
	if err != nil {
		return nil, err
	}
	client, err := o.httpClient()
	if err != nil {
		return nil, err
	}
	retryer := retryAll
	if o.Once {
		retryer = retryUntaken
	}
	options := iam.Options{
		Region:                     where.region,
		Credentials:                creds,
		HTTPClient:                 client,
		Retryer:                    retryer(),
		DisableClockSkewCorrection: true,
		EndpointOptions: iam.EndpointResolverOptions{
			UseFIPSEndpoint:      where.fips,
			UseDualStackEndpoint: where.dualStack,
		},
	}
	if where.url != "" {
		options.BaseEndpoint = aws.String(where.url)
	}
	return iam.New(options), nil
}

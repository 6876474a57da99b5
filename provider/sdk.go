package provider

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/session"
)

// sdkConfig is what every client of the SDK is made from. The SDK's clock
// correction is off: it would sign a second time, code and all, and hide a
// wrong clock that every other AWS client on this machine then stumbles over.
func (o CallOptions) sdkConfig(service, region string, creds aws.CredentialsProvider, retryer aws.Retryer) (aws.Config, error) {
	where, err := endpointFor(service, region, o.Endpoints)
	if err != nil {
		return aws.Config{}, err
	}
	client, err := o.httpClient()
	if err != nil {
		return aws.Config{}, err
	}
	config := aws.Config{
		Region:                     where.region,
		Credentials:                creds,
		HTTPClient:                 client,
		Retryer:                    func() aws.Retryer { return retryer },
		DisableClockSkewCorrection: true,
		ConfigSources:              []any{where},
	}
	if where.url != "" {
		config.BaseEndpoint = aws.String(where.url)
	}
	return config, nil
}

// GetUseFIPSEndpoint is how the SDK's clients ask a source of their config.
func (e endpoint) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	return e.fips, true, nil
}

// GetUseDualStackEndpoint is how the SDK's clients ask a source of their config.
func (e endpoint) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	return e.dualStack, true, nil
}

func (o CallOptions) stsClient(creds aws.CredentialsProvider, retryer aws.Retryer) (*sts.Client, error) {
	config, err := o.sdkConfig(serviceSTS, o.region(), creds, retryer)
	return sts.NewFromConfig(config), err
}

func (o CallOptions) iamClient(creds aws.CredentialsProvider, retryer aws.Retryer) (*iam.Client, error) {
	config, err := o.sdkConfig(serviceIAM, o.region(), creds, retryer)
	return iam.NewFromConfig(config), err
}

// ssoClient makes a client of IAM Identity Center's portal. Its calls bear an
// access token and are not signed.
func (o CallOptions) ssoClient(region string) (*sso.Client, error) {
	config, err := o.sdkConfig(serviceSSO, region, nil, retryAll())
	return sso.NewFromConfig(config), err
}

// oidcClient makes a client of IAM Identity Center's sign-in. Its calls are not
// signed.
func (o CallOptions) oidcClient(region string, retryer aws.Retryer) (*ssooidc.Client, error) {
	config, err := o.sdkConfig(serviceSSOOIDC, region, nil, retryer)
	return ssooidc.NewFromConfig(config), err
}

// signer hands credentials to the SDK.
func signer(c session.Credentials) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID:     c.AccessKeyID,
			SecretAccessKey: c.SecretAccessKey,
			SessionToken:    c.SessionToken,
			Source:          "groat",
		}, nil
	})
}

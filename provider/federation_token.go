package provider

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"groat/session"
	"groat/vault/accesskey"
)

// The lifetime that a federation token may be asked for.
const (
	MinFederationDuration = 15 * time.Minute
	MaxFederationDuration = 36 * time.Hour
)

// FederationToken asks for credentials of a federated user with a long-lived
// key. What they may do is what both the key's user and the policies allow:
// without a policy, nothing, which is why one is demanded here.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func FederationToken(ctx context.Context, o CallOptions, key accesskey.Key, name string, d time.Duration, policyARN []string, policy string) (session.Credentials, error) {
	if len(policyARN) == 0 && policy == "" {
		return session.Credentials{}, errors.New("a federation token without a policy has no permissions")
	}
	in := &sts.GetFederationTokenInput{
		Name:            aws.String(federatedName(name)),
		DurationSeconds: aws.Int32(int32(d.Seconds())),
		PolicyArns:      policyARNs(policyARN),
	}
	if policy != "" {
		in.Policy = aws.String(policy)
	}
	fail := func(err error) (session.Credentials, error) {
		return session.Credentials{}, o.callError(ctx, "sts:GetFederationToken", "", err)
	}
	client, err := o.stsClient(signer(session.OfKey(key)), retryAll())
	if err != nil {
		return fail(err)
	}
	o.debugf("calling sts:GetFederationToken in %s for profile %q (%s)", o.region(), o.Profile, ShortDuration(d))
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	out, err := client.GetFederationToken(bounded, in)
	if err != nil {
		return fail(err)
	}
	creds, err := credentialsFrom(out.Credentials, "", fail)
	if err == nil {
		err = alive(creds, "sts:GetFederationToken", o.Profile, o.now())
	}
	if err != nil {
		return session.Credentials{}, err
	}
	return creds, nil
}

// federatedName is a name AWS takes: 2 to 32 of [\w+=,.@-].
func federatedName(name string) string {
	name = sanitizeSessionName(name)
	if len(name) > 32 {
		name = name[:32]
	}
	return name
}

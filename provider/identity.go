package provider

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"groat/session"
)

// Identity is who AWS takes some credentials for.
type Identity struct {
	Account string
	ARN     string
	UserID  string
}

// UserName is the last part of the ARN's resource: the user's name, the role
// session's name, "root" for the account itself.
func (i Identity) UserName() string {
	resource := i.ARN
	if parts := strings.SplitN(i.ARN, ":", 6); len(parts) == 6 {
		resource = parts[5]
	}
	return resource[strings.LastIndexByte(resource, '/')+1:]
}

// CallerIdentity calls sts:GetCallerIdentity, which no policy can forbid.
// Errors are *CallError: ErrRefused or ErrUnreachable.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func CallerIdentity(ctx context.Context, o CallOptions, creds session.Credentials) (Identity, error) {
	const operation = "sts:GetCallerIdentity"
	fail := func(err error) (Identity, error) {
		return Identity{}, explain(o.callError(ctx, operation, "", err), refusal{creds: creds, region: o.region()})
	}
	client, err := o.stsClient(signer(creds), retryAll())
	if err != nil {
		return fail(err)
	}
	o.debugf("calling %s in %s for profile %q", operation, o.region(), o.Profile)
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	out, err := client.GetCallerIdentity(bounded, &sts.GetCallerIdentityInput{})
	if err != nil {
		return fail(err)
	}
	id := Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), UserID: aws.ToString(out.UserId)}
	if id.Account == "" || id.ARN == "" { // a proxy's empty page proves no key
		return fail(errNobody)
	}
	return id, nil
}

var errNobody = &smithy.DeserializationError{Err: errors.New("the answer names no identity")}

// maxDevices bounds the pages of a device list; a user has at most eight.
const maxDevices = 100

// MFADevices calls iam:ListMFADevices for the caller and returns all serials
// in AWS's order; FIDO2 keys (u2f) are among them.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html
func MFADevices(ctx context.Context, o CallOptions, creds session.Credentials) ([]string, error) {
	var serials []string
	in := &iam.ListMFADevicesInput{}
	for len(serials) < maxDevices {
		var out *iam.ListMFADevicesOutput
		err := CallIAM(ctx, o, creds, "ListMFADevices", func(ctx context.Context, api *iam.Client) (err error) {
			out, err = api.ListMFADevices(ctx, in)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, d := range out.MFADevices {
			serials = append(serials, aws.ToString(d.SerialNumber))
		}
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			break
		}
		in.Marker = out.Marker
	}
	return serials, nil
}

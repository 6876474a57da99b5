package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/smithy-go"

	"groat/session"
)

// A metadata service answers within milliseconds or is not there.
const (
	metadataDial = time.Second
	metadataCall = 5 * time.Second
)

// metadataClient never uses a proxy: these addresses mean this machine.
func metadataClient() *http.Client {
	return &http.Client{
		Timeout: metadataCall,
		Transport: boundedTransport{&http.Transport{
			DialContext:           (&net.Dialer{Timeout: metadataDial}).DialContext,
			ResponseHeaderTimeout: metadataCall,
			DisableKeepAlives:     true,
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// instance takes the credentials of the EC2 instance profile, by IMDSv2 only.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
func (r *run) instance(ctx context.Context, _ *Step) (session.Credentials, error) {
	name := r.plan.Source.Profile
	if strings.EqualFold(r.m.getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return session.Credentials{}, fmt.Errorf("profile %q has credential_source = Ec2InstanceMetadata, but AWS_EC2_METADATA_DISABLED is true: %w", name, ErrNoKey)
	}
	o := imds.Options{
		Endpoint:          r.m.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
		ClientEnableState: imds.ClientEnabled,
		EnableFallback:    aws.FalseTernary,
		HTTPClient:        metadataClient(),
		Retryer:           metadataRetryer(),
	}
	if strings.EqualFold(r.m.getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"), "IPv6") {
		o.EndpointMode = imds.EndpointModeStateIPv6
	}
	client := imds.New(o)
	r.debugf("asking the instance metadata service for profile %q", name)
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	creds, err := ec2rolecreds.New(func(o *ec2rolecreds.Options) { o.Client = client }).Retrieve(bounded)
	return r.fromMetadata(ctx, "Ec2InstanceMetadata", creds, err)
}

// fromMetadata takes over what a metadata service gave.
func (r *run) fromMetadata(ctx context.Context, operation string, c aws.Credentials, err error) (session.Credentials, error) {
	o := CallOptions{Profile: r.plan.Source.Profile, Now: r.m.Now}
	switch {
	case err != nil:
		return session.Credentials{}, metadataError(o.callError(ctx, operation, "", err), err)
	case c.AccessKeyID == "" || c.SecretAccessKey == "":
		return session.Credentials{}, metadataError(o.callError(ctx, operation, "", errIncomplete), errIncomplete)
	}
	creds := session.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, AccountID: c.AccountID}
	if c.CanExpire {
		creds.Expiration = c.Expires.UTC()
	}
	return creds, nil
}

// metadataError says what such a failure means.
func metadataError(err, cause error) error {
	var e *CallError
	if !errors.As(err, &e) {
		return err
	}
	e.Remedy = "this works only on an instance or in a container that has a role"
	// The container's endpoint answers in its own way, which callError does
	// not know for an answer.
	var answer interface {
		smithy.APIError
		HTTPStatusCode() int
	}
	if errors.As(cause, &answer) {
		e.Code, e.Message, e.Status = strings.TrimSpace(answer.ErrorCode()), strings.TrimSpace(answer.ErrorMessage()), answer.HTTPStatusCode()
		if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
			e.Err, e.Remedy = ErrRefused, "the endpoint does not accept the token of AWS_CONTAINER_AUTHORIZATION_TOKEN (_FILE)"
		}
	}
	return err
}

func metadataRetryer() aws.Retryer {
	return newRetryer(retry.DefaultRetryables)
}

package provider

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/fault"
	"groat/vault/files"
)

// containerHost is where relative URIs are asked.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
const containerHost = "http://169.254.170.2"

// containerAddresses are the only ones besides loopback that may be asked
// without TLS: those of ECS and of EKS.
var containerAddresses = map[string]bool{"169.254.170.2": true, "169.254.170.23": true, "fd00:ec2::23": true}

// container takes the credentials of the container's task role.
func (r *run) container(ctx context.Context, _ *Step) (session.Credentials, error) {
	name := r.plan.Source.Profile
	uri := r.m.getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if relative := r.m.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); relative != "" {
		uri = containerHost + relative
	}
	if uri == "" {
		return session.Credentials{}, fmt.Errorf("profile %q has credential_source = EcsContainer, but neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set: %w", name, ErrNoKey)
	}
	if err := checkContainerURI(uri); err != nil {
		return session.Credentials{}, err
	}
	token, err := r.containerToken()
	if err != nil {
		return session.Credentials{}, err
	}
	r.debugf("asking the container credentials endpoint for profile %q", name)
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	creds, err := endpointcreds.New(uri, func(o *endpointcreds.Options) {
		o.HTTPClient, o.Retryer, o.AuthorizationToken = metadataClient(), metadataRetryer(), token
	}).Retrieve(bounded)
	return r.fromMetadata(ctx, "EcsContainer", creds, err)
}

// maxContainerToken bounds the token's file, in bytes; EKS's have about a thousand.
const maxContainerToken = 64 << 10

// containerToken reads the token; its file wins and is read anew each time.
func (r *run) containerToken() (string, error) {
	token := r.m.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
	if file := r.m.getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
		data, err := files.Read(file, maxContainerToken, files.Steering)
		if err != nil {
			return "", unreadable(err, "could not read the container authorization token "+file, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE must name a file with the token")
		}
		token = strings.TrimSpace(string(data))
	}
	if strings.ContainsAny(token, "\r\n") {
		return "", fault.New("the container authorization token has a line break in it", "", profile.ErrMalformed)
	}
	return token, nil
}

// checkContainerURI lets a token out to TLS, to this machine and to the two
// well-known addresses only.
func checkContainerURI(s string) error {
	u, err := url.Parse(s)
	if err == nil {
		ip := net.ParseIP(u.Hostname())
		switch {
		case u.Scheme == "https" && u.Host != "":
			return nil
		case u.Scheme == "http" && (u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback()) || containerAddresses[u.Hostname()]):
			return nil
		}
	}
	return &profile.Error{
		Err:    fault.New(fmt.Sprintf("AWS_CONTAINER_CREDENTIALS_FULL_URI names %q, which is neither https nor loopback nor an address of ECS or EKS", hideUserinfo(s)), "", profile.ErrUnsupported),
		Remedy: "use https, or an endpoint on this machine",
	}
}

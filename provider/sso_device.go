package provider

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
)

const (
	defaultPoll = 5 * time.Second // RFC 8628 section 3.2
	slowDown    = 5 * time.Second // RFC 8628 section 3.5
)

// deviceFlow signs in by a code that is confirmed in a browser anywhere
// (RFC 8628).
func (s *signOn) deviceFlow(ctx context.Context, start string) (ssoToken, error) {
	registered, err := s.register(ctx, start, "")
	if err != nil {
		return ssoToken{}, err
	}
	client, err := s.o.oidcClient(s.sso.Region, retryAll())
	if err != nil {
		return ssoToken{}, err
	}
	const operation = "sso-oidc:StartDeviceAuthorization"
	s.o.debugf("calling %s in %s", operation, s.sso.Region)
	bounded, cancel := s.o.bounded(ctx)
	defer cancel()
	started, err := client.StartDeviceAuthorization(bounded, &ssooidc.StartDeviceAuthorizationInput{
		ClientId: aws.String(registered.ID), ClientSecret: aws.String(registered.Secret), StartUrl: aws.String(start),
	})
	if err == nil && (aws.ToString(started.DeviceCode) == "" || aws.ToString(started.VerificationUri) == "") {
		err = errIncomplete
	}
	if err != nil {
		return ssoToken{}, explainSSO(s.o.callError(ctx, operation, s.sso.StartURL, err))
	}
	address := aws.ToString(started.VerificationUriComplete)
	if address == "" {
		address = *started.VerificationUri
	}
	if err := checkSignInURL(address); err != nil {
		return ssoToken{}, err
	}
	expires := s.m.now().Add(time.Duration(started.ExpiresIn) * time.Second)
	req := s.request()
	req.URL, req.UserCode, req.Expires = address, aws.ToString(started.UserCode), expires
	if err := s.m.SignIn.Show(ctx, req); err != nil {
		return ssoToken{}, err
	}
	interval := time.Duration(started.Interval) * time.Second
	if interval <= 0 {
		interval = defaultPoll
	}
	return s.poll(ctx, registered, *started.DeviceCode, interval, expires)
}

// poll asks for the token until the person has confirmed.
func (s *signOn) poll(ctx context.Context, registered ssoClient, deviceCode string, interval time.Duration, expires time.Time) (ssoToken, error) {
	for {
		if err := s.m.sleep(ctx, interval); err != nil {
			return ssoToken{}, gaveUp(s.request(), err)
		}
		t, err := s.createToken(ctx, registered, &ssooidc.CreateTokenInput{GrantType: aws.String(grantDevice), DeviceCode: aws.String(deviceCode)})
		var call *CallError
		switch {
		case err != nil && errors.Is(context.Cause(ctx), errSignInOver):
			return ssoToken{}, gaveUp(s.request(), errSignInOver)
		case err == nil || !errors.As(err, &call):
			return t, err
		}
		switch call.Code {
		case "SlowDownException":
			interval += slowDown
		case "AuthorizationPendingException":
		case "ExpiredTokenException":
			return ssoToken{}, tooSlow(s.request())
		case "AccessDeniedException":
			return ssoToken{}, denied(s.request(), call.Code)
		default:
			return ssoToken{}, explainSSO(err)
		}
		if !s.m.now().Before(expires) {
			return ssoToken{}, tooSlow(s.request())
		}
	}
}

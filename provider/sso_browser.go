package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
)

const registeredURI = "http://127.0.0.1" + callbackPath // AWS lets any port stand in it (RFC 8252 section 7.3)

// browserFlow signs in with a browser on this machine.
func (s *signOn) browserFlow(ctx context.Context, start string) (ssoToken, error) {
	registered, err := s.register(ctx, start, registeredURI)
	if err != nil {
		return ssoToken{}, err
	}
	verifier := randomWord()
	code, redirect, err := s.m.browserCode(ctx, s.request(), func(redirect, state string) (string, error) {
		return s.authorizeURL(ctx, registered, redirect, state, verifier)
	})
	if errors.Is(err, errNoLoopback) {
		s.m.debugf("%v", err)
		return s.deviceFlow(ctx, start)
	}
	if err != nil {
		return ssoToken{}, err
	}
	t, err := s.createToken(ctx, registered, &ssooidc.CreateTokenInput{
		GrantType: aws.String(grantCode), Code: aws.String(code), CodeVerifier: aws.String(verifier), RedirectUri: aws.String(redirect),
	})
	return t, explainSSO(err)
}

// authorizeURL is where the browser begins.
func (s *signOn) authorizeURL(ctx context.Context, c ssoClient, redirect, state, verifier string) (string, error) {
	where, err := endpointFor(serviceSSOOIDC, s.sso.Region, s.o.Endpoints)
	if err != nil {
		return "", err
	}
	base := where.url
	if base == "" {
		e, err := ssooidc.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ssooidc.EndpointParameters{
			Region: aws.String(where.region), UseFIPS: aws.Bool(s.o.Endpoints.FIPS), UseDualStack: aws.Bool(s.o.Endpoints.DualStack),
		})
		if err != nil {
			return "", fmt.Errorf("no endpoint of IAM Identity Center in %s: %w", s.sso.Region, err)
		}
		base = e.URI.String()
	}
	query := url.Values{
		"response_type":         {"code"},
		"client_id":             {c.ID},
		"redirect_uri":          {redirect},
		"state":                 {state},
		"code_challenge_method": {"S256"},
		"code_challenge":        {challengeOf(verifier)},
		"scopes":                {strings.Join(s.scopes(), ",")},
	}
	address := strings.TrimSuffix(base, "/") + "/authorize?" + query.Encode()
	return address, checkSignInURL(address)
}

package provider

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
)

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628
	grantCode    = "authorization_code"                           // RFC 6749, with PKCE (RFC 7636)
	grantRefresh = "refresh_token"

	defaultScope = "sso:account:access"
	clientName   = "groat"
)

// scopes are those of the sso-session; a legacy profile has none, and so gets
// a token without refresh.
func (s *signOn) scopes() []string {
	if len(s.sso.RegistrationScopes) > 0 {
		return s.sso.RegistrationScopes
	}
	if s.sso.Session != "" {
		return []string{defaultScope}
	}
	return nil
}

// register registers a client for one sign-in. Registrations cost nothing,
// are kept with the token, and a new sign-in is months away.
// https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_RegisterClient.html
func (s *signOn) register(ctx context.Context, start, redirectURI string) (ssoClient, error) {
	client, err := s.o.oidcClient(s.sso.Region, retryAll())
	if err != nil {
		return ssoClient{}, err
	}
	in := &ssooidc.RegisterClientInput{ClientName: aws.String(clientName), ClientType: aws.String("public"), Scopes: s.scopes()}
	if redirectURI != "" {
		in.GrantTypes, in.RedirectUris, in.IssuerUrl = []string{grantCode, grantRefresh}, []string{redirectURI}, aws.String(start)
	}
	s.o.debugf("calling sso-oidc:RegisterClient in %s", s.sso.Region)
	bounded, cancel := s.o.bounded(ctx)
	defer cancel()
	out, err := client.RegisterClient(bounded, in)
	if err == nil && (aws.ToString(out.ClientId) == "" || aws.ToString(out.ClientSecret) == "") {
		err = errIncomplete
	}
	if err != nil {
		return ssoClient{}, explainSSO(s.o.callError(ctx, "sso-oidc:RegisterClient", s.sso.StartURL, err))
	}
	return ssoClient{ID: *out.ClientId, Secret: *out.ClientSecret, Expires: time.Unix(out.ClientSecretExpiresAt, 0).UTC()}, nil
}

// createToken exchanges what a grant gave for an access token.
// https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
func (s *signOn) createToken(ctx context.Context, registered ssoClient, in *ssooidc.CreateTokenInput) (ssoToken, error) {
	retryer := retryAll()
	if in.Code != nil {
		retryer = retryUntaken() // an authorization code is good for one call
	}
	client, err := s.o.oidcClient(s.sso.Region, retryer)
	if err != nil {
		return ssoToken{}, err
	}
	in.ClientId, in.ClientSecret = aws.String(registered.ID), aws.String(registered.Secret)
	bounded, cancel := s.o.bounded(ctx)
	defer cancel()
	s.o.debugf("calling sso-oidc:CreateToken (%s) in %s", aws.ToString(in.GrantType), s.sso.Region)
	out, err := client.CreateToken(bounded, in)
	if err == nil && aws.ToString(out.AccessToken) == "" {
		err = errIncomplete
	}
	if err != nil {
		return ssoToken{}, s.o.callError(ctx, "sso-oidc:CreateToken", s.sso.StartURL, err)
	}
	return ssoToken{
		AccessToken:  *out.AccessToken,
		Expires:      s.m.now().Add(time.Duration(out.ExpiresIn) * time.Second).UTC(),
		RefreshToken: aws.ToString(out.RefreshToken),
		Client:       registered,
	}, nil
}

// refresh renews a token without anybody being asked.
func (s *signOn) refresh(ctx context.Context, t ssoToken) (ssoToken, error) {
	renewed, err := s.createToken(ctx, t.Client, &ssooidc.CreateTokenInput{
		GrantType: aws.String(grantRefresh), RefreshToken: aws.String(t.RefreshToken),
	})
	if err == nil && renewed.RefreshToken == "" {
		renewed.RefreshToken = t.RefreshToken
	}
	return renewed, err
}

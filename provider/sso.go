package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"

	"groat/session"
)

// singleSignOn calls sso:GetRoleCredentials with the access token of IAM
// Identity Center, signing in first where there is none.
// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
func (r *run) singleSignOn(ctx context.Context, step *Step) (session.Credentials, error) {
	o, err := r.m.callOptions(step)
	if err != nil {
		return session.Credentials{}, err
	}
	for _, service := range []string{serviceSSO, serviceSSOOIDC} {
		if _, err := endpointFor(service, r.plan.Source.SSO.Region, o.Endpoints); err != nil {
			return session.Credentials{}, err // before anybody is asked
		}
	}
	s := &signOn{m: r.m, o: o, sso: r.plan.Source.SSO, profile: r.plan.Profile}
	token, stored, err := s.token(ctx, "")
	if err != nil {
		return session.Credentials{}, err
	}
	creds, err := r.roleCredentials(ctx, o, token)
	var call *CallError
	if stored && errors.As(err, &call) && call.Status == http.StatusUnauthorized {
		// Signed out elsewhere, or revoked: that token is forgotten.
		if token, _, err = s.token(ctx, token); err != nil {
			return session.Credentials{}, err
		}
		creds, err = r.roleCredentials(ctx, o, token)
	}
	return creds, err
}

func (r *run) roleCredentials(ctx context.Context, o CallOptions, token string) (session.Credentials, error) {
	const operation = "sso:GetRoleCredentials"
	in := r.plan.Source.SSO
	fail := func(err error) (session.Credentials, error) {
		return session.Credentials{}, explainSSO(o.callError(ctx, operation, in.AccountID+"/"+in.RoleName, err))
	}
	client, err := o.ssoClient(in.Region)
	if err != nil {
		return fail(err)
	}
	o.debugf("calling %s of account %s, role %s, in %s for profile %q", operation, in.AccountID, in.RoleName, in.Region, o.Profile)
	bounded, cancel := o.bounded(ctx)
	defer cancel()
	out, err := client.GetRoleCredentials(bounded, &sso.GetRoleCredentialsInput{
		AccessToken: aws.String(token), AccountId: aws.String(in.AccountID), RoleName: aws.String(in.RoleName),
	})
	if err != nil {
		return fail(err)
	}
	c := out.RoleCredentials
	if c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" || aws.ToString(c.SessionToken) == "" {
		return fail(errIncomplete)
	}
	return session.Credentials{
		AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
		AccountID: in.AccountID, Expiration: time.UnixMilli(c.Expiration).UTC().Truncate(time.Second),
	}, nil
}

// end signs the person out at IAM Identity Center. A token that it takes no
// more has ended already.
// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_Logout.html
func (s *signOn) end(ctx context.Context) error {
	t, ok, err := s.load(ctx)
	if err != nil || !ok {
		return err
	}
	client, err := s.o.ssoClient(s.sso.Region)
	if err != nil {
		return err
	}
	const operation = "sso:Logout"
	s.o.debugf("calling %s in %s for profile %q", operation, s.sso.Region, s.o.Profile)
	bounded, cancel := s.o.bounded(ctx)
	defer cancel()
	if _, err = client.Logout(bounded, &sso.LogoutInput{AccessToken: aws.String(t.AccessToken)}); err != nil {
		err = s.o.callError(ctx, operation, s.sso.StartURL, err)
	}
	var call *CallError
	if errors.As(err, &call) && call.Status == http.StatusUnauthorized {
		return nil
	}
	return err
}

// explainSSO adds what the user can do about a refusal of IAM Identity Center.
func explainSSO(err error) error {
	var e *CallError
	if !errors.As(err, &e) || e.Remedy != "" || !errors.Is(e, ErrRefused) {
		return err
	}
	switch e.Code {
	case "ForbiddenException", "ResourceNotFoundException", "AccessDeniedException":
		e.Remedy = fmt.Sprintf("check sso_account_id and sso_role_name of profile %q: the role must be assigned to you in IAM Identity Center", e.Profile)
	case "UnauthorizedException":
		e.Remedy = "the sign-in is no longer valid: run this again to sign in"
	case "InvalidRequestException", "InvalidClientException":
		e.Remedy = fmt.Sprintf("check sso_start_url and sso_region of profile %q", e.Profile)
	case "InvalidScopeException":
		e.Remedy = "check sso_registration_scopes of the sso-session"
	}
	return err
}

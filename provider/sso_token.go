package provider

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"groat/provider/profile"
	"groat/session"
)

// A token is renewed before it is as old as this.
const tokenMargin = 2 * time.Minute

// ssoToken is what is kept, sealed, of a sign-in.
type ssoToken struct {
	AccessToken  string    `json:"access_token"`
	Expires      time.Time `json:"expires"`
	RefreshToken string    `json:"refresh_token,omitempty"`
	Client       ssoClient `json:"client"` // that got the token: only it may refresh it
}

// ssoClient is a registered OIDC client.
type ssoClient struct {
	ID      string    `json:"id"`
	Secret  string    `json:"secret"`
	Expires time.Time `json:"expires"`
}

// signOn gets access tokens of one IAM Identity Center.
type signOn struct {
	m       *Minter
	o       CallOptions
	sso     *profile.SSO
	profile string
}

// name is the token's name in the store: a sign-in serves every account and
// role of an Identity Center, whichever profile began it. What was issued at
// one endpoint is never found for another: a configuration that names its own
// gets no token, no registered client and no refresh token.
func (s *signOn) name() string {
	fields := append(ssoIdentity(s.sso, s.o.Endpoints), strings.Join(slices.Sorted(slices.Values(s.sso.RegistrationScopes)), ","))
	return string(session.NewKey(append([]string{"sso-token-2"}, fields...)...))
}

// ssoIdentity says which IAM Identity Center is meant, and where it is called.
func ssoIdentity(s *profile.SSO, e profile.Endpoints) []string {
	return []string{s.StartURL, s.Region, e.For(serviceSSO), e.For(serviceSSOOIDC)}
}

// token gives an access token, and whether it lay in the store. refused is
// one that AWS would not take, and that is not to be given again.
//
// One process signs in; those that come meanwhile wait for it and share the
// token, or the failure.
func (s *signOn) token(ctx context.Context, refused string) (token string, stored bool, err error) {
	if t, ok, err := s.load(ctx); err != nil || ok && s.fresh(t) && t.AccessToken != refused {
		return t.AccessToken, true, err
	}
	err = s.kept().alone(ctx, func() error {
		token, stored, err = s.renew(ctx, refused)
		return err
	})
	return token, stored, err
}

// renew does without a person where it can.
func (s *signOn) renew(ctx context.Context, refused string) (token string, stored bool, err error) {
	t, ok, err := s.load(ctx)
	if err != nil || ok && s.fresh(t) && t.AccessToken != refused {
		return t.AccessToken, true, err
	}
	// A refused one is renewed too: AWS ends a token early that a person need
	// not sign in anew for (a changed session length, a wrong clock here).
	if ok && s.renewable(t) {
		renewed, rerr := s.refresh(ctx, t)
		if rerr == nil {
			s.kept().save(ctx, renewed)
			return renewed.AccessToken, false, nil
		}
		if !errors.Is(rerr, ErrRefused) {
			return "", false, rerr
		}
		s.m.debugf("the sign-in could not be renewed: %v", rerr)
	}
	fresh, err := s.signIn(ctx)
	if err != nil {
		return "", false, asked(ctx, err)
	}
	s.kept().save(ctx, fresh)
	return fresh.AccessToken, false, nil
}

// anew has a person sign in although that may not be needed.
func (s *signOn) anew(ctx context.Context) error {
	return s.kept().alone(ctx, func() error {
		t, err := s.signIn(ctx)
		if err == nil {
			s.kept().save(ctx, t)
		}
		return err
	})
}

func (s *signOn) renewable(t ssoToken) bool {
	return t.RefreshToken != "" && s.m.now().Before(t.Client.Expires)
}

func (s *signOn) fresh(t ssoToken) bool {
	return t.AccessToken != "" && s.m.now().Add(tokenMargin).Before(t.Expires)
}

// asks reports whether somebody would have to sign in now. It sends nothing.
func (s *signOn) asks(ctx context.Context) bool {
	var t ssoToken
	return s.kept().read(ctx, &t) != nil || !s.fresh(t) && !s.renewable(t)
}

func (s *signOn) kept() kept { return kept{s.m, s.profile, s.name()} }

// load reads the stored token.
func (s *signOn) load(ctx context.Context) (t ssoToken, ok bool, err error) {
	ok, err = s.kept().load(ctx, &t)
	return t, ok, err
}

func (s *signOn) request() SignInRequest {
	return SignInRequest{Profile: s.profile, Service: nameIdentityCenter, As: s.sso.StartURL}
}

// signIn asks a person to sign in, in a browser here or on another device.
func (s *signOn) signIn(ctx context.Context) (ssoToken, error) {
	ctx, cancel, local, err := s.m.askToSignIn(ctx, s.request())
	defer cancel()
	if err != nil {
		return ssoToken{}, err
	}
	start, err := s.startURL(ctx)
	switch {
	case err != nil:
		return ssoToken{}, err
	case local && s.sso.Session != "":
		return s.browserFlow(ctx, start)
	}
	return s.deviceFlow(ctx, start)
}

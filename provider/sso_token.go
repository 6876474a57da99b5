package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/files"
)

// SignInRequest is what a person needs to sign in to IAM Identity Center.
type SignInRequest struct {
	Profile  string // asked for by the user
	StartURL string
	URL      string    // to open in a browser; a secret for as long as the sign-in lasts
	UserCode string    // to compare with what the page shows; "" where the browser answers to this machine
	Expires  time.Time // of the attempt
}

// SignIn shows a person where to sign in: it opens a browser or prints the
// address, and returns at once. Errors wrap ErrNoCode, ErrCancelled or
// ErrInterrupted.
type SignIn interface {
	// LocalBrowser reports whether the browser will run on this machine, so
	// that it can answer to a loopback port (PKCE); else a device code is
	// used. It fails where nobody can be reached, before anything is sent.
	LocalBrowser() (bool, error)
	Show(ctx context.Context, req SignInRequest) error
}

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
	if t, ok := s.load(ctx); ok && s.fresh(t) && t.AccessToken != refused {
		return t.AccessToken, true, nil
	}
	release, err := s.m.Cache.Flight.Ask(ctx, "sso "+s.name())
	if err != nil {
		return "", false, err
	}
	defer func() { release(err) }()
	t, ok := s.load(ctx)
	if ok && s.fresh(t) && t.AccessToken != refused {
		return t.AccessToken, true, nil
	}
	// A refused one is renewed too: AWS ends a token early that a person need
	// not sign in anew for (a changed session length, a wrong clock here).
	if ok && s.renewable(t) {
		renewed, rerr := s.refresh(ctx, t)
		if rerr == nil {
			s.save(ctx, renewed)
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
	s.save(ctx, fresh)
	return fresh.AccessToken, false, nil
}

func (s *signOn) renewable(t ssoToken) bool {
	return t.RefreshToken != "" && s.m.now().Before(t.Client.Expires)
}

func (s *signOn) fresh(t ssoToken) bool {
	return t.AccessToken != "" && s.m.now().Add(tokenMargin).Before(t.Expires)
}

// asks reports whether somebody would have to sign in now. It sends nothing.
func (s *signOn) asks(ctx context.Context) bool {
	t, err := s.read(ctx)
	return err != nil || !s.fresh(t) && !s.renewable(t)
}

// load reads the stored token; one that cannot be read counts as missing.
func (s *signOn) load(ctx context.Context) (ssoToken, bool) {
	t, err := s.read(ctx)
	if err != nil && !errors.Is(err, session.ErrNotFound) {
		s.m.warn(fmt.Sprintf("profile %q: the stored sign-in cannot be read: %v", s.profile, err))
	}
	return t, err == nil
}

func (s *signOn) read(ctx context.Context) (t ssoToken, err error) {
	if s.m.Tokens == nil {
		return t, session.ErrNotFound
	}
	data, err := s.m.Tokens.Get(ctx, s.name())
	if err == nil && json.Unmarshal(data, &t) != nil {
		t, err = ssoToken{}, session.ErrNotFound
	}
	return t, err
}

// save stores a token. Failing is a warning: the token is good all the same.
func (s *signOn) save(ctx context.Context, t ssoToken) {
	if s.m.Tokens == nil {
		return
	}
	data, err := json.Marshal(t)
	if err == nil {
		err = s.m.Tokens.Put(context.WithoutCancel(ctx), s.name(), data)
	}
	if err != nil {
		s.m.warn(fmt.Sprintf("profile %q: the sign-in could not be stored, the next call signs in again: %v", s.profile, err))
	}
}

// signIn asks a person to sign in, in a browser here or on another device.
func (s *signOn) signIn(ctx context.Context) (ssoToken, error) {
	if s.m.SignIn == nil {
		return ssoToken{}, &signInError{profile: s.profile, why: "a sign-in to IAM Identity Center is needed, and there is nobody to ask"}
	}
	if !s.m.AskUntil.IsZero() {
		bounded, cancel := context.WithDeadlineCause(ctx, s.m.AskUntil, errSignInOver)
		defer cancel()
		ctx = bounded
	}
	local, err := s.m.SignIn.LocalBrowser()
	switch {
	case err != nil:
		return ssoToken{}, err
	case local && s.sso.Session != "":
		return s.browserFlow(ctx)
	}
	return s.deviceFlow(ctx)
}

// errSignInOver ends the wait for a person where there is a limit to it.
var errSignInOver = errors.New("nobody signed in in time")

// signInError says why nobody signed in.
type signInError struct {
	profile, why string
	cause        error // may be nil
}

// gaveUp is what is to be said when something else has ended the wait for a person.
func (s *signOn) gaveUp(cause error) error {
	return &signInError{profile: s.profile, why: "gave up waiting for the sign-in to IAM Identity Center", cause: cause}
}

func (e *signInError) Error() string { return fmt.Sprintf("profile %q: %s", e.profile, e.why) }

func (e *signInError) Unwrap() []error {
	if e.cause == nil {
		return []error{ErrNoCode}
	}
	return []error{ErrNoCode, e.cause}
}

// Hint is the remedy, for the one place that prints it.
func (e *signInError) Hint() string {
	return fmt.Sprintf("run `groat whoami %s` in a terminal to sign in", files.Word(e.profile))
}

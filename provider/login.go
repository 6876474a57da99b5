package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/fault"
	"groat/vault/files"
)

// loginSession is how long AWS renews the credentials of one sign-in.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html
const loginSession = 12 * time.Hour

// loginToken is what is kept, sealed, of a sign-in.
type loginToken struct {
	ARN          string    `json:"arn"`    // who signed in
	Region       string    `json:"region"` // where; it is renewed there
	Client       string    `json:"client"`
	RefreshToken string    `json:"refresh_token"` // good for one call
	Key          []byte    `json:"key"`           // of the proofs that go with it, in DER (RFC 5915)
	Began        time.Time `json:"began"`
	// Sent is written before the refresh token is sent, and gone with the
	// next one: where it is there, an answer may have been lost.
	Sent bool `json:"sent,omitempty"`
	// Over is why AWS renews it no more, in words; the refresh token is gone.
	Over string `json:"over,omitempty"`
}

// login gets credentials of AWS Sign-In for one identity.
type login struct {
	m       *Minter
	o       CallOptions // with the region to sign in at
	arn     string      // wanted; "" where any will do
	profile string      // asked for
}

// login renews the sign-in, or has a person sign in where that is over.
func (r *run) login(ctx context.Context, step *Step) (session.Credentials, error) {
	o, err := r.m.callOptions(step)
	if err != nil {
		return session.Credentials{}, err
	}
	return (&login{m: r.m, o: o, arn: r.plan.Source.LoginSession, profile: r.plan.Profile}).credentials(ctx, true)
}

// SignInAs has a person sign in to AWS as whoever they like, and says who
// that is. The profile has no login_session yet.
func (m *Minter) SignInAs(ctx context.Context, o CallOptions) (arn string, err error) {
	if o.HTTP == nil {
		if o.HTTP, err = m.clients.get(o.Endpoints.CABundle, m.Proxy); err != nil {
			return "", err
		}
	}
	l := &login{m: m, o: o, profile: o.Profile}
	t, _, err := l.signIn(ctx, "")
	if err != nil {
		return "", err
	}
	l.arn = t.ARN
	k := l.kept()
	return t.ARN, k.alone(ctx, func() error { return k.put(ctx, t) })
}

// loginName: a sign-in serves all that is done as one identity. What was
// issued at one endpoint is never found for another.
func loginName(arn string, e profile.Endpoints) string {
	return string(session.NewKey(append([]string{"login-token-1"}, loginIdentity(arn, e)...)...))
}

// loginIdentity says who is signed in, and where that is known.
func loginIdentity(arn string, e profile.Endpoints) []string {
	return []string{arn, e.For(serviceSignin), strconv.FormatBool(e.FIPS), strconv.FormatBool(e.DualStack)}
}

func (l *login) kept() kept { return kept{l.m, l.profile, loginName(l.arn, l.o.Endpoints)} }

// load reads the stored sign-in. One of somebody else is none.
func (l *login) load(ctx context.Context) (t loginToken, ok bool, err error) {
	ok, err = l.kept().load(ctx, &t)
	return t, ok && t.ARN == l.arn, err
}

// anew has a person sign in although that may not be needed.
func (l *login) anew(ctx context.Context) error {
	_, err := l.credentials(ctx, false)
	return err
}

// end does nothing: AWS Sign-In has no call that ends a session.
func (l *login) end(context.Context) error { return nil }

// asks reports whether somebody would have to sign in now. It sends nothing.
func (l *login) asks(ctx context.Context) bool {
	var t loginToken
	return l.kept().read(ctx, &t) != nil || t.ARN != l.arn || t.Over != "" || !l.m.now().Before(t.Began.Add(loginSession))
}

// credentials renews the stored sign-in, or has a person sign in.
func (l *login) credentials(ctx context.Context, renew bool) (creds session.Credentials, err error) {
	if _, err := l.base(); err != nil {
		return creds, err // before anybody is asked
	}
	err = l.kept().alone(ctx, func() error {
		reason := ""
		t, ok, err := l.load(ctx)
		if err != nil {
			return err
		}
		if ok && renew {
			if creds, reason, err = l.renew(ctx, t); err != nil || reason == "" {
				return err
			}
		}
		if t, creds, err = l.signIn(ctx, reason); err != nil {
			return asked(ctx, err)
		}
		if !renew { // it was wanted for its own sake
			return l.kept().put(ctx, t)
		}
		l.kept().save(ctx, t)
		return nil
	})
	return creds, err
}

// renew exchanges the refresh token. That it is under way is written down
// first: if that cannot be done, the answer could not be kept either, and the
// token is not spent. The next one is stored before its credentials are used,
// so that neither a crash nor a crowd loses the sign-in. over says why there
// is nothing to renew any more.
func (l *login) renew(ctx context.Context, t loginToken) (creds session.Credentials, over string, err error) {
	key, err := x509.ParseECPrivateKey(t.Key)
	switch {
	case t.Over != "":
		return creds, t.Over, nil
	case err != nil:
		return creds, "what is stored of the last one is damaged", nil
	}
	lost := t.Sent
	t.Sent = true
	if err := l.kept().put(ctx, t); err != nil {
		return creds, "", fmt.Errorf("profile %q: the sign-in was not renewed, as it could not be stored: %w", l.profile, err)
	}
	there := *l
	there.o.Region = t.Region
	a, again, err := there.createToken(ctx, key, map[string]string{"clientId": t.Client, "grantType": grantRefresh, "refreshToken": t.RefreshToken})
	var call *CallError
	switch {
	case err == nil:
		t.RefreshToken, t.Sent = a.RefreshToken, false
		l.kept().save(ctx, t)
		return a.credentials(t.ARN), "", nil
	case !errors.As(err, &call):
		return creds, "", err
	case call.Code == loginChanged:
		t.Over = "the identity's password or credentials were changed since the last one"
	case call.Code != loginExpired:
		return creds, "", there.explain(call)
	case !l.m.now().Before(t.Began.Add(loginSession)):
		t.Over = "the last one has reached its 12 hours"
	case lost || again:
		t.Over = "AWS's answer to the last renewal was lost"
	default:
		t.Over = "AWS ended the last one early"
	}
	l.m.debugf("profile %q: the sign-in is over: %v", l.profile, call)
	t.RefreshToken, t.Sent = "", false
	l.kept().save(ctx, t)
	return creds, t.Over, nil
}

// signIn asks a person to sign in, in a browser here or anywhere.
func (l *login) signIn(ctx context.Context, reason string) (t loginToken, creds session.Credentials, err error) {
	base, err := l.base()
	if err != nil {
		return t, creds, err
	}
	req := SignInRequest{Profile: l.profile, Service: nameSignIn, As: l.arn, Reason: reason}
	ctx, cancel, local, err := l.m.askToSignIn(ctx, req)
	defer cancel()
	if err != nil {
		return t, creds, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return t, creds, err
	}
	in := map[string]string{"grantType": grantCode, "codeVerifier": randomWord()}
	if local {
		in["clientId"] = clientSameDevice
		in["code"], in["redirectUri"], err = l.m.browserCode(ctx, req, func(redirect, state string) (string, error) {
			return authorizeLogin(base, in, redirect, state)
		})
	}
	if !local || errors.Is(err, errNoLoopback) {
		in["clientId"], in["redirectUri"] = clientCrossDevice, base+"/v1/sessions/confirmation"
		in["code"], err = l.pasted(ctx, req, base, in)
	}
	if err != nil {
		return t, creds, err
	}
	a, _, err := l.createToken(ctx, key, in)
	if err != nil {
		return t, creds, l.explain(err)
	}
	arn := a.subject()
	if arn == "" {
		return t, creds, l.failed("the answer does not say who signed in", 0, ErrUnreachable)
	}
	if l.arn != "" && arn != l.arn {
		return t, creds, l.otherIdentity(arn)
	}
	t = loginToken{ARN: arn, Region: l.o.Region, Client: in["clientId"], RefreshToken: a.RefreshToken, Began: l.m.now().UTC().Truncate(time.Second)}
	t.Key, err = x509.MarshalECPrivateKey(key)
	return t, a.credentials(arn), err
}

// pasted waits for the code that a browser elsewhere shows.
func (l *login) pasted(ctx context.Context, req SignInRequest, base string, in map[string]string) (string, error) {
	state := randomWord()
	var err error
	if req.URL, err = authorizeLogin(base, in, in["redirectUri"], state); err != nil {
		return "", err
	}
	req.Expires = l.m.now().Add(browserTimeout)
	text, err := l.m.SignIn.Paste(ctx, req)
	switch {
	case err != nil && errors.Is(context.Cause(ctx), errSignInOver):
		return "", gaveUp(req, errSignInOver)
	case err != nil:
		return "", err
	}
	code, back := PastedCode(text)
	if code == "" || !sameState(back, state) {
		return "", notSignedIn(req, "and the code that was pasted is not the one that its page shows", nil)
	}
	return code, nil
}

// authorizeLogin is where the browser begins.
func authorizeLogin(base string, in map[string]string, redirect, state string) (string, error) {
	query := url.Values{
		"response_type": {"code"}, "scope": {"openid"}, "client_id": {in["clientId"]}, "redirect_uri": {redirect}, "state": {state},
		"code_challenge_method": {"SHA-256"}, "code_challenge": {challengeOf(in["codeVerifier"])},
	}
	address := base + "/v1/authorize?" + query.Encode()
	return address, checkSignInURL(address)
}

// otherIdentity says that somebody else signed in than the profile is for.
func (l *login) otherIdentity(got string) error {
	return fault.New(fmt.Sprintf("%v: profile %q is for %s, and the browser signed in as %s; nothing was changed", ErrIdentity, l.profile, l.arn, got),
		fmt.Sprintf("choose that identity in the browser, or sign out of the console there, and run `groat signin %s`", files.Word(l.profile)), ErrIdentity)
}

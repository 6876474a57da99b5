package ststest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The clients of AWS Sign-In that command lines may use.
const (
	clientSameDevice  = "arn:aws:signin:::devtools/same-device"
	clientCrossDevice = "arn:aws:signin:::devtools/cross-device"
	confirmationPath  = "/v1/sessions/confirmation"
)

// AWS's lifetimes: of credentials, of a sign-in with all its renewals, of a code.
const (
	loginCredentials = 15 * time.Minute
	loginSession     = 12 * time.Hour
	loginCode        = 10 * time.Minute
)

// loginState is AWS Sign-In: who is signed in to the browser, and what was
// given out.
type loginState struct {
	arn       string // of the browser's console session
	declined  bool   // the person says no
	forbidden bool   // the identity lacks signin:CreateOAuth2Token
	changed   bool   // its password was changed
	codes     map[string]*loginGrant
	refresh   map[string]*loginGrant // by the one refresh token that is good
	proofs    map[string]bool        // the jti of every proof that was taken
}

// loginGrant is a sign-in: first its code, then its refresh tokens.
type loginGrant struct {
	arn, client, redirect, challenge string
	thumbprint                       string // of the proof key that the tokens are bound to
	expires                          time.Time
}

func newLoginState() loginState {
	return loginState{codes: map[string]*loginGrant{}, refresh: map[string]*loginGrant{}, proofs: map[string]bool{}}
}

// SignInAs is the identity that the browser's console session has: the ARN of
// a user that was added, or of an assumed role. Nobody is signed in at first.
func (s *Server) SignInAs(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login.arn, s.login.declined = arn, false
}

// DeclineSignIn has the person say no in the browser.
func (s *Server) DeclineSignIn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login.declined = true
}

// ForbidSignIn says whether identities lack the permission to sign in.
func (s *Server) ForbidSignIn(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login.forbidden = yes
}

// ChangePassword ends every sign-in so far, as a changed password does.
func (s *Server) ChangePassword(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.login.changed = yes
}

func (s *Server) routeLogin(x *exchange) (route, bool) {
	for _, o := range []struct {
		method, path, operation string
		do                      func(*exchange) answer
	}{
		{http.MethodGet, "/v1/authorize", "Authorize", s.loginAuthorize},
		{http.MethodGet, confirmationPath, "Confirmation", s.loginConfirmation},
		{http.MethodPost, "/v1/token", "CreateOAuth2Token", s.loginToken},
	} {
		if x.r.Method == o.method && x.r.URL.Path == o.path {
			return route{service: "signin", operation: o.operation, serve: o.do, refuse: loginError}, true
		}
	}
	return route{}, false
}

// loginError words an error as AWS Sign-In does: a code of its own beside the
// message.
func loginError(e *Error) answer {
	code := e.OAuth
	switch {
	case code == "" && e.Status >= 500:
		code = "server_error"
	case code == "":
		code = "INVALID_REQUEST"
	}
	a := jsonAnswer(map[string]string{"error": code, "message": e.Message})
	a.status, a.err, a.header = e.Status, e, map[string]string{"X-Amzn-Errortype": e.Code}
	return a
}

func invalidLogin(message string) answer {
	return loginError(oauth(400, "ValidationException", "INVALID_REQUEST", message))
}

func deniedLogin(status int, code, message string) answer {
	return loginError(oauth(status, "AccessDeniedException", code, message))
}

// base is the endpoint as the client knows it.
func (x *exchange) base() string {
	if x.r.TLS != nil {
		return "https://" + x.r.Host
	}
	return "http://" + x.r.Host
}

// loginAuthorize is the page that the browser opens. Whoever is signed in
// there is sent on with a code.
func (s *Server) loginAuthorize(x *exchange) answer {
	q := x.r.URL.Query()
	redirect, challenge := q.Get("redirect_uri"), q.Get("code_challenge")
	good := false
	switch q.Get("client_id") {
	case clientSameDevice:
		u, err := url.Parse(redirect)
		good = err == nil && loopback(redirect) && u.Hostname() == "127.0.0.1" && u.Path == "/oauth/callback" && u.RawQuery == ""
	case clientCrossDevice:
		good = redirect == x.base()+confirmationPath
	default:
		return invalidLogin("Invalid client_id")
	}
	hash, err := base64.RawURLEncoding.DecodeString(challenge)
	switch {
	case !good:
		return invalidLogin("Invalid redirect_uri")
	case q.Get("response_type") != "code", q.Get("scope") != "openid", q.Get("state") == "":
		return invalidLogin("Invalid response_type, scope or state")
	case q.Get("code_challenge_method") != "SHA-256", err != nil, len(hash) != sha256.Size:
		return invalidLogin("Invalid code_challenge")
	case s.login.arn == "":
		return answer{status: http.StatusUnauthorized, contentType: "text/html", body: []byte("<html>Nobody is signed in</html>")}
	}
	back := url.Values{"state": {q.Get("state")}}
	if s.login.declined {
		back.Set("error", "access_denied")
	} else {
		code := randomText(128, base64Chars[:62])
		s.login.codes[code] = &loginGrant{arn: s.login.arn, client: q.Get("client_id"), redirect: redirect, challenge: challenge, expires: s.now().Add(loginCode)}
		back.Set("code", code)
	}
	return answer{status: http.StatusFound, header: map[string]string{"Location": redirect + "?" + back.Encode()}}
}

// loginConfirmation shows what is to be pasted on the other device.
func (s *Server) loginConfirmation(x *exchange) answer {
	q := x.r.URL.Query()
	text := base64.StdEncoding.EncodeToString([]byte("state=" + q.Get("state") + "&code=" + q.Get("code")))
	return answer{status: http.StatusOK, contentType: "text/plain", body: []byte(text)}
}

// loginToken is CreateOAuth2Token:
// https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html
func (s *Server) loginToken(x *exchange) answer {
	var in map[string]string
	if !strings.HasPrefix(x.r.Header.Get("Content-Type"), "application/json") || json.Unmarshal(x.body, &in) != nil {
		return invalidLogin("The body is not a JSON object of strings")
	}
	thumbprint, why := s.proof(x)
	if why != "" {
		return invalidLogin("Invalid DPoP proof: " + why)
	}
	var g *loginGrant
	var refused *answer
	switch in["grantType"] {
	case grantCode:
		g, refused = s.loginByCode(in, thumbprint)
	case grantRefresh:
		g, refused = s.loginByRefresh(in, thumbprint)
	default:
		return invalidLogin("Invalid grantType")
	}
	switch {
	case refused != nil:
		return *refused
	case s.login.forbidden:
		return deniedLogin(403, "INSUFFICIENT_PERMISSIONS", "Not authorized to perform: signin:CreateOAuth2Token")
	}
	who, known := s.loginPrincipal(g.arn)
	if !known {
		return deniedLogin(403, "USER_CREDENTIALS_CHANGED", "The identity is gone")
	}
	c := s.issue(who, nil, loginCredentials)
	next := randomText(600, base64Chars[:62])
	s.login.refresh[next] = g
	out := map[string]any{"tokenType": "aws_sigv4", "expiresIn": int(loginCredentials / time.Second), "refreshToken": next,
		"accessToken": map[string]string{"accessKeyId": c.id, "secretAccessKey": c.secret, "sessionToken": c.token}}
	if in["grantType"] == grantCode {
		out["idToken"] = idToken(g, s.now())
	}
	a := jsonAnswer(out)
	a.issued = c.id
	return a
}

// loginByCode takes an authorization code once, from whoever knows its
// verifier.
func (s *Server) loginByCode(in map[string]string, thumbprint string) (*loginGrant, *answer) {
	refuse := func(a answer) (*loginGrant, *answer) { return nil, &a }
	g := s.login.codes[in["code"]]
	delete(s.login.codes, in["code"])
	if g == nil || !s.now().Before(g.expires) {
		return refuse(deniedLogin(401, "AUTHCODE_EXPIRED", "The authorization code has expired"))
	}
	sum := sha256.Sum256([]byte(in["codeVerifier"]))
	switch {
	case in["clientId"] != g.client, in["redirectUri"] != g.redirect:
		return refuse(invalidLogin("clientId or redirectUri is not the one of the authorization"))
	case len(in["codeVerifier"]) < 43 || len(in["codeVerifier"]) > 128, base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge:
		return refuse(invalidLogin("codeVerifier does not match"))
	}
	g.thumbprint, g.expires = thumbprint, s.now().Add(loginSession)
	s.login.changed = false
	return g, nil
}

// loginByRefresh takes a refresh token once, with a proof by the key that it
// is bound to.
func (s *Server) loginByRefresh(in map[string]string, thumbprint string) (*loginGrant, *answer) {
	refuse := func(a answer) (*loginGrant, *answer) { return nil, &a }
	g := s.login.refresh[in["refreshToken"]]
	switch {
	case g == nil || !s.now().Before(g.expires):
		return refuse(deniedLogin(401, "TOKEN_EXPIRED", "The refresh token has expired"))
	case s.login.changed:
		return refuse(deniedLogin(403, "USER_CREDENTIALS_CHANGED", "The user's credentials have changed"))
	case in["clientId"] != g.client:
		return refuse(invalidLogin("clientId is not the one of the sign-in"))
	case thumbprint != g.thumbprint:
		return refuse(invalidLogin("the proof is not by the key that the token is bound to"))
	}
	delete(s.login.refresh, in["refreshToken"])
	return g, nil
}

// loginPrincipal is who a console session's credentials are.
func (s *Server) loginPrincipal(arn string) (principal, bool) {
	for _, u := range s.users {
		if u.ARN == arn {
			return principal{kind: callerSession, arn: arn, userID: u.ID, account: u.Account, user: u, root: u.root, mfa: true, mfaAt: s.now()}, true
		}
	}
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[2] == "sts" {
		if path := strings.Split(parts[5], "/"); len(path) == 3 && path[0] == "assumed-role" {
			role := s.roles["arn:"+parts[1]+":iam::"+parts[4]+":role/"+path[1]]
			if role != nil {
				return s.roleSession(role, path[2]), true
			}
		}
	}
	return principal{}, false
}

// idToken says who signed in. Its signature is nobody's affair here.
func idToken(g *loginGrant, now time.Time) string {
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "ES384", "typ": "JWT"}) + "." +
		part(map[string]any{"sub": g.arn, "aud": g.client, "iss": "https://signin.aws.amazon.com/signin", "iat": now.Unix(), "exp": now.Add(loginCredentials).Unix()}) + "." +
		randomText(128, base64Chars[:62])
}

package ststest

import (
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

type ssoClient struct {
	id, secret   string
	expires      time.Time
	scopes       []string
	grantTypes   []string
	redirectURIs []string
}

type ssoDevice struct {
	client, userCode string
	expires          time.Time
	lastPoll         time.Time
	approved, denied bool
	used             bool
}

type ssoCode struct {
	client, redirectURI, challenge string
	expires                        time.Time
	used                           bool
}

const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

// registerClient: https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_RegisterClient.html
func (s *Server) registerClient(x *exchange) answer {
	var in struct {
		ClientName, ClientType, IssuerURL string
		Scopes, GrantTypes, RedirectURIs  []string
	}
	if e := decode(x.body, &in); e != nil {
		return jsonError(e)
	}
	if in.ClientName == "" || in.ClientType != "public" {
		return jsonError(oauth(400, "InvalidClientMetadataException", "invalid_client_metadata", "Invalid client type"))
	}
	for _, g := range in.GrantTypes {
		if !slices.Contains([]string{grantDevice, grantCode, grantRefresh}, g) {
			return jsonError(oauth(400, "UnsupportedGrantTypeException", "unsupported_grant_type", "Unsupported grant type"))
		}
	}
	for _, u := range in.RedirectURIs {
		if !loopback(u) {
			return jsonError(oauth(400, "InvalidRedirectUriException", "invalid_redirect_uri", "Redirect URI must be on loopback"))
		}
	}
	if slices.Contains(in.GrantTypes, grantCode) && len(in.RedirectURIs) == 0 {
		return jsonError(oauth(400, "InvalidRedirectUriException", "invalid_redirect_uri", "No redirect URI"))
	}
	if in.IssuerURL != "" && !s.isStartURL(in.IssuerURL) {
		return jsonError(oauth(400, "InvalidRequestException", "invalid_request", "Invalid issuer URL"))
	}
	c := &ssoClient{id: randomText(22, base64Chars[:62]), secret: "eyJ" + randomText(200, base64Chars[:62]), expires: s.now().Add(s.sso.clientLife),
		scopes: in.Scopes, grantTypes: in.GrantTypes, redirectURIs: in.RedirectURIs}
	s.sso.clients[c.id] = c
	return jsonAnswer(map[string]any{"clientId": c.id, "clientSecret": c.secret, "clientIdIssuedAt": s.now().Unix(), "clientSecretExpiresAt": c.expires.Unix()})
}

// loopback says whether a redirect URI is one that a native application may
// have (RFC 8252, section 7.3).
func loopback(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

func (s *Server) isStartURL(given string) bool {
	return given != "" && strings.TrimSuffix(given, "/") == strings.TrimSuffix(s.sso.startURL, "/")
}

// client checks the client's own credentials.
func (s *Server) client(id, secret string) (*ssoClient, *Error) {
	c := s.sso.clients[id]
	if c == nil || c.secret != secret || !s.now().Before(c.expires) {
		return nil, oauth(401, "InvalidClientException", "invalid_client", "Invalid client")
	}
	return c, nil
}

// startDeviceAuthorization: https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_StartDeviceAuthorization.html
func (s *Server) startDeviceAuthorization(x *exchange) answer {
	var in struct{ ClientID, ClientSecret, StartURL string }
	if e := decode(x.body, &in); e != nil {
		return jsonError(e)
	}
	c, e := s.client(in.ClientID, in.ClientSecret)
	if e != nil {
		return jsonError(e)
	}
	if !s.isStartURL(in.StartURL) {
		return jsonError(oauth(400, "InvalidRequestException", "invalid_request", "Invalid start URL"))
	}
	if len(c.grantTypes) > 0 && !slices.Contains(c.grantTypes, grantDevice) {
		return jsonError(oauth(400, "UnauthorizedClientException", "unauthorized_client", "Client is not authorized to use this grant"))
	}
	code := randomText(40, base64Chars[:62])
	user := randomText(4, upperDigits[:26]) + "-" + randomText(4, upperDigits[:26])
	s.sso.devices[code] = &ssoDevice{client: c.id, userCode: user, expires: s.now().Add(10 * time.Minute), approved: s.sso.autoApprove}
	verify := s.URL + "/device"
	return jsonAnswer(map[string]any{"deviceCode": code, "userCode": user, "verificationUri": verify, "verificationUriComplete": verify + "?user_code=" + user,
		"expiresIn": 600, "interval": int(s.sso.interval / time.Second)})
}

// DecideSSO is the user's answer to a device's request; false when there is
// no such user code.
func (s *Server) DecideSSO(userCode string, approve bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.decide(userCode, approve)
}

func (s *Server) decide(userCode string, approve bool) bool {
	for _, d := range s.sso.devices {
		if d.userCode == userCode {
			d.approved, d.denied = approve, !approve
			return true
		}
	}
	return false
}

// verifyDevice is the page that a browser opens: whoever gets it approves.
func (s *Server) verifyDevice(x *exchange) answer {
	if !s.decide(x.r.URL.Query().Get("user_code"), true) {
		return answer{status: http.StatusNotFound}
	}
	return answer{status: http.StatusOK, contentType: "text/plain", body: []byte("approved\n")}
}

// authorize is the page of the authorization code grant with PKCE
// (RFC 7636). The user approves it at once; whoever gets it is sent back to
// the application with a code.
func (s *Server) authorize(x *exchange) answer {
	q := x.r.URL.Query()
	c := s.sso.clients[q.Get("client_id")]
	redirect := q.Get("redirect_uri")
	switch {
	case c == nil:
		return jsonError(oauth(401, "InvalidClientException", "invalid_client", "Invalid client"))
	case !slices.ContainsFunc(c.redirectURIs, func(u string) bool { return samePlace(u, redirect) }):
		return jsonError(oauth(400, "InvalidRedirectUriException", "invalid_redirect_uri", "Redirect URI was not registered"))
	case q.Get("response_type") != "code", q.Get("code_challenge_method") != "S256", len(q.Get("code_challenge")) != 43, q.Get("state") == "":
		return jsonError(oauth(400, "InvalidRequestException", "invalid_request", "The request lacks a PKCE challenge or a state"))
	}
	code := randomText(64, base64Chars[:62])
	s.sso.codes[code] = &ssoCode{client: c.id, redirectURI: redirect, challenge: q.Get("code_challenge"), expires: s.now().Add(time.Minute)}
	back := redirect + "?code=" + code + "&state=" + url.QueryEscape(q.Get("state"))
	return answer{status: http.StatusFound, header: map[string]string{"Location": back}}
}

// samePlace compares redirect URIs, the port of a loopback one aside
// (RFC 8252, section 7.3).
func samePlace(registered, given string) bool {
	a, errA := url.Parse(registered)
	b, errB := url.Parse(given)
	return errA == nil && errB == nil && a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && a.Path == b.Path && loopback(given)
}

// createToken: https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
func (s *Server) createToken(x *exchange) answer {
	var in tokenInput
	if e := decode(x.body, &in); e != nil {
		return jsonError(e)
	}
	c, e := s.client(in.ClientID, in.ClientSecret)
	if e != nil {
		return jsonError(e)
	}
	switch in.GrantType {
	case grantDevice:
		e = s.deviceGrant(c, in)
	case grantCode:
		e = s.codeGrant(c, in)
	case grantRefresh:
		e = s.refreshGrant(c, in)
	default:
		e = oauth(400, "UnsupportedGrantTypeException", "unsupported_grant_type", "Unsupported grant type")
	}
	if e != nil {
		return jsonError(e)
	}
	t := &ssoToken{client: c.id, expires: s.now().Add(s.sso.tokenLife)}
	access := "aoaA" + randomText(300, base64Chars[:62])
	s.sso.tokens[access] = t
	out := map[string]any{"accessToken": access, "tokenType": "Bearer", "expiresIn": int(s.sso.tokenLife / time.Second)}
	if slices.Contains(c.scopes, "sso:account:access") { // without a scope there is nothing to renew
		refresh := "aorA" + randomText(300, base64Chars[:62])
		s.sso.refresh[refresh] = t
		out["refreshToken"] = refresh
	}
	return jsonAnswer(out)
}

type tokenInput struct {
	ClientID, ClientSecret, GrantType, DeviceCode, Code, RefreshToken, RedirectURI, CodeVerifier string
	Scope                                                                                        []string
}

var errGrant = oauth(400, "InvalidGrantException", "invalid_grant", "Invalid grant")

func (s *Server) deviceGrant(c *ssoClient, in tokenInput) *Error {
	d := s.sso.devices[in.DeviceCode]
	if d == nil || d.client != c.id || d.used {
		return errGrant
	}
	now := s.now()
	early := !d.lastPoll.IsZero() && now.Sub(d.lastPoll) < s.sso.interval
	d.lastPoll = now
	switch {
	case !now.Before(d.expires):
		return oauth(400, "ExpiredTokenException", "expired_token", "Device code has expired")
	case d.denied:
		return oauth(400, "AccessDeniedException", "access_denied", "The request was denied")
	case early:
		return oauth(400, "SlowDownException", "slow_down", "Polling too fast")
	case !d.approved:
		return oauth(400, "AuthorizationPendingException", "authorization_pending", "Authorization is still pending")
	}
	d.used = true
	return nil
}

func (s *Server) codeGrant(c *ssoClient, in tokenInput) *Error {
	code := s.sso.codes[in.Code]
	if code == nil || code.client != c.id || code.used || code.redirectURI != in.RedirectURI || !s.now().Before(code.expires) {
		return errGrant
	}
	sum := sha256.Sum256([]byte(in.CodeVerifier))
	if len(in.CodeVerifier) < 43 || base64.RawURLEncoding.EncodeToString(sum[:]) != code.challenge {
		return errGrant
	}
	code.used = true
	return nil
}

// refreshGrant takes a refresh token once.
func (s *Server) refreshGrant(c *ssoClient, in tokenInput) *Error {
	t := s.sso.refresh[in.RefreshToken]
	if t == nil || t.client != c.id || t.revoked {
		return errGrant
	}
	delete(s.sso.refresh, in.RefreshToken)
	return nil
}

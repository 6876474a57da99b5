package ststest

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
}

// assumeRoleWithWebIdentity: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func (s *Server) assumeRoleWithWebIdentity(r *request) (any, *Error) {
	if e := roleForm(r.params); e != nil {
		return nil, e
	}
	d, e := r.duration(3600, 900, 43200)
	if e != nil {
		return nil, e
	}
	c, e := s.readToken(r.Get("WebIdentityToken"))
	if e != nil {
		return nil, e
	}
	role := s.roles[r.Get("RoleArn")]
	if role == nil || role.o.WebIdentity != c.Issuer {
		return nil, errorf(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	if role.o.Audience != "" && role.o.Audience != c.Audience {
		return nil, errorf(400, "InvalidIdentityToken", "Incorrect token audience")
	}
	if d > role.o.MaxSession {
		return nil, errorf(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	who := s.roleSession(role, r.Get("RoleSessionName"))
	who.policies = r.policies()
	out := assumed(s.issue(who, nil, d), who, r)
	out.SubjectFromWebIdentityToken, out.Audience, out.Provider = c.Subject, c.Audience, c.Issuer
	return out, nil
}

// readToken verifies a token of one of the issuers.
func (s *Server) readToken(token string) (*claims, *Error) {
	if len(token) < 4 {
		return nil, validation(token, "webIdentityToken", "have length greater than or equal to 4")
	}
	i := strings.LastIndexByte(token, '.')
	parts := strings.Split(token, ".")
	if i < 0 || len(parts) != 3 {
		return nil, errorf(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	var c claims
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &c) != nil {
		return nil, errorf(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	key := s.providers[c.Issuer]
	if key == nil {
		return nil, errorf(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s", c.Issuer)
	}
	sum, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(sum, mac(key, token[:i])) {
		return nil, errorf(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	if !s.now().Before(time.Unix(c.Expires, 0)) {
		return nil, errorf(400, "ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", s.now().Unix(), c.Expires)
	}
	return &c, nil
}

package ststest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// callerKind says what kind of credentials a caller has.
type callerKind int

const (
	callerUser      callerKind = iota // long-lived key of a user or of the root user
	callerSession                     // GetSessionToken
	callerRole                        // AssumeRole and its kin
	callerFederated                   // GetFederationToken
)

// principal is who makes a call.
type principal struct {
	kind           callerKind
	arn, userID    string
	account        string
	user           *User // of callerUser, callerSession and callerFederated
	role           *Role
	root           bool
	mfa            bool      // the credentials carry an MFA context
	mfaAt          time.Time // when the code was given
	sourceIdentity string
	transitive     []tag
	chained        bool      // came from other temporary credentials
	issued         time.Time // of a session: when it began
	policies       []string  // session policies, documents before ARNs, the oldest layer first
	scopes         int       // how often GetScopedCredentials narrowed it
}

type tag struct{ key, value string }

// session is a set of temporary credentials.
type session struct {
	id, secret, token string
	expires           time.Time
	who               principal
	issuer            *AccessKey // dies with it; nil when there was none
}

// issue makes unique credentials for who; the caller holds mu.
func (s *Server) issue(who principal, issuer *AccessKey, d time.Duration) *session {
	if who.kind == callerRole && s.roleCap > 0 {
		d = min(d, s.roleCap)
	}
	who.issued = s.now()
	c := &session{id: "ASIA" + randomText(16, upperDigits), secret: randomText(40, secretChars), token: "IQoJ" + randomText(420, base64Chars) + "==",
		expires: s.now().Add(d).Truncate(time.Second), who: who, issuer: issuer}
	s.sessions[c.id] = c
	return c
}

// authenticate finds out who signed the request; the caller holds mu.
func (s *Server) authenticate(r *http.Request, body []byte, g *signature) (*principal, *Error) {
	if g == nil {
		return nil, errMissingToken
	}
	token := r.Header.Get("X-Amz-Security-Token")
	if c := s.sessions[g.keyID]; c != nil {
		switch {
		case token != c.token, c.issuer != nil && (c.issuer.deleted || !c.issuer.active) && !s.outlive:
			return nil, errInvalidToken
		case !s.now().Before(c.expires):
			return nil, errExpiredToken
		}
		if e := g.verify(r, body, c.secret, s.now()); e != nil {
			return nil, e
		}
		who := c.who
		return &who, nil
	}
	k := s.keys[g.keyID]
	if k != nil && len(k.unknown) > 0 {
		unknown := k.unknown[0]
		if k.unknown = k.unknown[1:]; unknown {
			return nil, errInvalidToken
		}
	}
	if k == nil || k.deleted || !k.active || token != "" {
		return nil, errInvalidToken
	}
	if e := g.verify(r, body, k.Secret, s.now()); e != nil {
		return nil, e
	}
	k.lastUsed, k.lastService, k.lastRegion = s.now(), g.service, g.region
	u := k.user
	return &principal{kind: callerUser, arn: u.ARN, userID: u.ID, account: u.Account, user: u, root: u.root}, nil
}

// allow judges the identity side of a call: a user's own denials and the
// policy that wants MFA. The caller holds mu.
func (s *Server) allow(p *principal, action, resource string) *Error {
	var revoked time.Time
	switch {
	case p.kind == callerRole && p.role != nil:
		revoked = p.role.revoked
	case p.kind != callerUser && p.user != nil:
		revoked = p.user.revoked
	}
	if p.issued.Before(revoked) && !p.issued.IsZero() {
		return deniedExplicitly(p, action, resource)
	}
	if p.user == nil {
		if p.role != nil && slices.Contains(p.role.o.Deny, action) {
			return deniedExplicitly(p, action, resource)
		}
		return nil
	}
	if slices.Contains(p.user.denied, action) {
		return denied(p, action, resource)
	}
	age := p.user.mfaMaxAge
	if age == 0 || slices.Contains(withoutMFA, action) {
		return nil
	}
	if !p.mfa || s.now().Sub(p.mfaAt) > age {
		return deniedExplicitly(p, action, resource)
	}
	return nil
}

// withoutMFA is what a user who must use MFA may still do without: see to
// having a device and a session.
var withoutMFA = []string{
	"sts:GetSessionToken", "sts:GetCallerIdentity", "iam:GetUser", "iam:ListMFADevices", "iam:ListVirtualMFADevices",
	"iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:ChangePassword",
}

// partition is the second part of an ARN.
func partition(arn string) string {
	p := strings.SplitN(arn, ":", 3)
	if len(p) < 2 {
		return "aws"
	}
	return p[1]
}

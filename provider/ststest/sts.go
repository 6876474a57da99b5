package ststest

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

var stsOperations = map[string]operation{
	"GetCallerIdentity":         (*Server).getCallerIdentity,
	"GetSessionToken":           (*Server).getSessionToken,
	"AssumeRole":                (*Server).assumeRole,
	"AssumeRoleWithWebIdentity": (*Server).assumeRoleWithWebIdentity,
	"GetFederationToken":        (*Server).getFederationToken,
	"GetScopedCredentials":      (*Server).getScopedCredentials,
}

// unsigned are the operations whose proof is in the form.
var unsigned = map[string]bool{"AssumeRoleWithWebIdentity": true}

type xmlCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func (c *session) xml() xmlCredentials {
	return xmlCredentials{AccessKeyID: c.id, SecretAccessKey: c.secret, SessionToken: c.token, Expiration: c.expires.Format(time.RFC3339)}
}

type identityResult struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (s *Server) getCallerIdentity(r *request) (any, *Error) {
	return identityResult{Arn: r.p.arn, UserID: r.p.userID, Account: r.p.account}, nil
}

type sessionTokenResult struct {
	Credentials xmlCredentials
}

func (r sessionTokenResult) issuedID() string { return r.Credentials.AccessKeyID }

// getSessionToken: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func (s *Server) getSessionToken(r *request) (any, *Error) {
	if r.p.kind != callerUser {
		return nil, errorf(403, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	d, e := r.duration(43200, 900, 129600)
	if e != nil {
		return nil, e
	}
	if r.p.root && d > time.Hour {
		d = time.Hour // documented: the root user's session is cut to an hour
	}
	if e := s.allow(r.p, "sts:GetSessionToken", "*"); e != nil {
		return nil, e
	}
	mfa, e := s.checkMFA(r.p.user, r.Get("SerialNumber"), r.Get("TokenCode"))
	if e != nil {
		return nil, e
	}
	who := *r.p
	who.kind, who.mfa, who.mfaAt = callerSession, mfa, s.now()
	return sessionTokenResult{Credentials: s.issue(who, s.keys[r.x.sig.keyID], d).xml()}, nil
}

type federationResult struct {
	Credentials      xmlCredentials
	FederatedUser    struct{ FederatedUserId, Arn string } //nolint:revive // the name is AWS's
	PackedPolicySize int
}

func (r federationResult) issuedID() string { return r.Credentials.AccessKeyID }

var federatedName = regexp.MustCompile(`^[\w+=,.@-]*$`)

// getFederationToken: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
func (s *Server) getFederationToken(r *request) (any, *Error) {
	if r.p.kind != callerUser {
		return nil, errorf(403, "AccessDenied", "Cannot call GetFederationToken with session credentials")
	}
	name := r.Get("Name")
	switch {
	case len(name) < 2:
		return nil, validation(name, "name", "have length greater than or equal to 2")
	case len(name) > 32:
		return nil, validation(name, "name", "have length less than or equal to 32")
	case !federatedName.MatchString(name):
		return nil, validation(name, "name", `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	d, e := r.duration(43200, 900, 129600)
	if e != nil {
		return nil, e
	}
	if r.p.root && d > time.Hour {
		d = time.Hour
	}
	if e := checkPolicy(r.params); e != nil {
		return nil, e
	}
	if e := s.allow(r.p, "sts:GetFederationToken", "arn:"+partition(r.p.arn)+":sts::"+r.p.account+":federated-user/"+name); e != nil {
		return nil, e
	}
	who := *r.p
	who.kind = callerFederated
	who.arn = "arn:" + partition(r.p.arn) + ":sts::" + r.p.account + ":federated-user/" + name
	who.userID = r.p.account + ":" + name
	var out federationResult
	out.Credentials = s.issue(who, s.keys[r.x.sig.keyID], d).xml()
	out.FederatedUser.FederatedUserId, out.FederatedUser.Arn = who.userID, who.arn
	out.PackedPolicySize = len(r.Get("Policy")) * 100 / 2048
	return out, nil
}

// checkPolicy judges session policies: their number, size and form.
func checkPolicy(p params) *Error {
	policy := p.Get("Policy")
	if utf8.RuneCountInString(policy) > 2048 {
		return validation(policy, "policy", "have length less than or equal to 2048")
	}
	if strings.IndexFunc(policy, func(r rune) bool { return r > 0xff || r < ' ' && !strings.ContainsRune("\t\n\r", r) }) >= 0 {
		return validation(policy, "policy", `satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+`)
	}
	arns := p.structs("PolicyArns", "arn")
	if len(arns) > 10 {
		return errorf(400, "ValidationError", "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10")
	}
	for _, a := range arns {
		if parts := strings.SplitN(a[0], ":", 6); len(parts) != 6 || parts[2] != "iam" || !strings.HasPrefix(parts[5], "policy/") {
			return errorf(400, "ValidationError", "ARN %s is not valid.", a[0])
		}
	}
	if policy != "" {
		var doc struct{ Statement any }
		if err := json.Unmarshal([]byte(policy), &doc); err != nil {
			return errorf(400, "MalformedPolicyDocument", "This policy contains invalid Json")
		}
		if doc.Statement == nil {
			return errorf(400, "MalformedPolicyDocument", "Syntax errors in policy.")
		}
	}
	return nil
}

// AddIssuer makes the double trust web identity tokens of this issuer, and
// WebIdentityToken able to make them.
func (s *Server) AddIssuer(issuer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.providers[issuer] = []byte(randomText(32, base64Chars))
}

// WebIdentityToken makes a token of an issuer, good for d by the server's clock.
func (s *Server) WebIdentityToken(issuer, subject, audience string, d time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims, err := json.Marshal(map[string]any{"iss": issuer, "sub": subject, "aud": audience, "exp": s.now().Add(d).Unix()})
	if err != nil {
		panic(err) // strings and a number
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(s.providers[issuer], text))
}

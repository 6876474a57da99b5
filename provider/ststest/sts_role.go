package ststest

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	sessionName    = regexp.MustCompile(`^[\w+=,.@-]*$`)
	externalID     = regexp.MustCompile(`^[\w+=,.@:/-]*$`)
	sourceIdentity = regexp.MustCompile(`^[\w+=,.@-]*$`)
	roleARN        = regexp.MustCompile(`^arn:[\w-]+:iam::\d{12}:role/([\w+=,.@-]+/)*[\w+=,.@-]{1,64}$`)
)

type roleResult struct {
	Credentials     xmlCredentials
	AssumedRoleUser struct {
		AssumedRoleID string `xml:"AssumedRoleId"`
		Arn           string
	}
	SourceIdentity              string `xml:",omitempty"`
	SubjectFromWebIdentityToken string `xml:",omitempty"`
	Audience                    string `xml:",omitempty"`
	Provider                    string `xml:",omitempty"`
	PackedPolicySize            int    `xml:",omitempty"`
}

func (r roleResult) issuedID() string { return r.Credentials.AccessKeyID }

// roleForm checks the members that all ways to assume a role share.
func roleForm(p params) *Error {
	arn, name := p.Get("RoleArn"), p.Get("RoleSessionName")
	switch {
	case len(arn) < 20:
		return validation(arn, "roleArn", "have length greater than or equal to 20")
	case len(arn) > 2048:
		return validation(arn, "roleArn", "have length less than or equal to 2048")
	case !roleARN.MatchString(arn):
		return errorf(400, "ValidationError", "%s is invalid", arn)
	case len(name) < 2:
		return validation(name, "roleSessionName", "have length greater than or equal to 2")
	case len(name) > 64:
		return validation(name, "roleSessionName", "have length less than or equal to 64")
	case !sessionName.MatchString(name):
		return validation(name, "roleSessionName", `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	return checkPolicy(p)
}

// assumeRole: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func (s *Server) assumeRole(r *request) (any, *Error) {
	if e := roleForm(r.params); e != nil {
		return nil, e
	}
	if e := extras(r.params); e != nil {
		return nil, e
	}
	d, e := r.duration(3600, 900, 43200)
	if e != nil {
		return nil, e
	}
	arn := r.Get("RoleArn")
	if r.p.root {
		return nil, errorf(403, "AccessDenied", "Roles may not be assumed by root accounts.")
	}
	mfa, e := s.checkMFA(r.p.user, r.Get("SerialNumber"), r.Get("TokenCode"))
	if e != nil {
		return nil, e
	}
	who := *r.p
	if mfa {
		who.mfa, who.mfaAt = true, s.now()
	}
	if e := s.allow(&who, "sts:AssumeRole", arn); e != nil {
		return nil, e
	}
	role := s.roles[arn]
	if role == nil || !trusts(role, &who) {
		return nil, denied(r.p, "sts:AssumeRole", arn)
	}
	tags, e := s.trust(role, &who, r)
	if e != nil {
		return nil, e
	}
	if r.p.kind != callerUser && d > time.Hour {
		return nil, errorf(400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	if d > role.o.MaxSession {
		return nil, errorf(400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	got := s.roleSession(role, r.Get("RoleSessionName"))
	got.chained, got.transitive, got.policies = r.p.kind != callerUser, tags, r.policies()
	if got.sourceIdentity = r.Get("SourceIdentity"); got.sourceIdentity == "" {
		got.sourceIdentity = r.p.sourceIdentity
	}
	return assumed(s.issue(got, s.keyOf(r), d), got, r), nil
}

// keyOf is the long-lived key on which a call rests, nil for other sources.
func (s *Server) keyOf(r *request) *AccessKey {
	if k := s.keys[r.x.sig.keyID]; k != nil {
		return k
	}
	if c := s.sessions[r.x.sig.keyID]; c != nil {
		return c.issuer
	}
	return nil
}

func (s *Server) roleSession(role *Role, name string) principal {
	return principal{kind: callerRole, role: role, account: role.account, userID: role.ID + ":" + name,
		arn: "arn:" + partition(role.ARN) + ":sts::" + role.account + ":assumed-role/" + role.name + "/" + name}
}

func assumed(c *session, who principal, r *request) roleResult {
	var out roleResult
	out.Credentials = c.xml()
	out.AssumedRoleUser.AssumedRoleID, out.AssumedRoleUser.Arn = who.userID, who.arn
	out.SourceIdentity = who.sourceIdentity
	out.PackedPolicySize = len(r.Get("Policy")) * 100 / 2048
	return out
}

// trusts says whether the trust policy's principals include the caller.
func trusts(role *Role, p *principal) bool {
	for _, t := range role.o.Trusted {
		switch {
		case t == "*", t == p.arn, p.role != nil && t == p.role.ARN:
			return true
		case strings.HasSuffix(t, ":root") && strings.Contains(t, "::"+p.account+":") && partition(t) == partition(p.arn):
			return true
		case p.user != nil && t == p.user.ARN && p.kind != callerFederated:
			return true
		}
	}
	return false
}

// trust judges the conditions of the trust policy, and returns the session
// tags that go on to the next role.
func (s *Server) trust(role *Role, p *principal, r *request) ([]tag, *Error) {
	o, arn := role.o, role.ARN
	if p.kind == callerFederated {
		return nil, denied(p, "sts:AssumeRole", arn)
	}
	if o.RequireMFA && !p.mfa {
		return nil, denied(p, "sts:AssumeRole", arn)
	}
	if o.MFAMaxAge > 0 && (!p.mfa || s.now().Sub(p.mfaAt) > o.MFAMaxAge) {
		return nil, denied(p, "sts:AssumeRole", arn)
	}
	if o.ExternalID != "" && r.Get("ExternalId") != o.ExternalID {
		return nil, denied(p, "sts:AssumeRole", arn)
	}
	given := r.Get("SourceIdentity")
	if given != "" && (o.DenySourceIdentity || p.sourceIdentity != "" && p.sourceIdentity != given) {
		return nil, denied(p, "sts:SetSourceIdentity", arn)
	}
	if o.RequireSourceIdentity && given == "" && p.sourceIdentity == "" {
		return nil, denied(p, "sts:AssumeRole", arn)
	}
	tags := r.structs("Tags", "Key", "Value")
	if o.DenyTags && len(tags)+len(p.transitive) > 0 {
		return nil, denied(p, "sts:TagSession", arn)
	}
	has := map[string]bool{}
	for _, t := range p.transitive {
		has[t.key] = true
	}
	goOn := append([]tag(nil), p.transitive...)
	for _, t := range tags {
		if has[t[0]] {
			return nil, errorf(400, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		if slices.Contains(r.list("TransitiveTagKeys"), t[0]) {
			goOn = append(goOn, tag{t[0], t[1]})
		}
	}
	for _, t := range tags {
		has[t[0]] = true
	}
	for _, want := range o.RequireTags {
		if !has[want] {
			return nil, denied(p, "sts:AssumeRole", arn)
		}
	}
	return goOn, nil
}

// extras checks the form of external ID, source identity and tags.
func extras(p params) *Error {
	if v := p.Get("ExternalId"); p.Has("ExternalId") {
		switch {
		case len(v) < 2:
			return validation(v, "externalId", "have length greater than or equal to 2")
		case len(v) > 1224:
			return validation(v, "externalId", "have length less than or equal to 1224")
		case !externalID.MatchString(v):
			return validation(v, "externalId", `satisfy regular expression pattern: [\w+=,.@:\/-]*`)
		}
	}
	if v := p.Get("SourceIdentity"); p.Has("SourceIdentity") {
		switch {
		case len(v) < 2 || len(v) > 64:
			return validation(v, "sourceIdentity", "have length between 2 and 64")
		case !sourceIdentity.MatchString(v):
			return validation(v, "sourceIdentity", `satisfy regular expression pattern: [\w+=,.@-]*`)
		case strings.HasPrefix(strings.ToLower(v), "aws:"):
			return validation(v, "sourceIdentity", "not begin with aws:")
		}
	}
	tags := p.structs("Tags", "Key", "Value")
	if len(tags) > 50 {
		return errorf(400, "ValidationError", "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")
	}
	seen := map[string]bool{}
	for _, t := range tags {
		switch key := strings.ToLower(t[0]); {
		case t[0] == "" || len(t[0]) > 128:
			return validation(t[0], "tags.1.member.key", "have length between 1 and 128")
		case len(t[1]) > 256:
			return validation(t[1], "tags.1.member.value", "have length less than or equal to 256")
		case strings.HasPrefix(key, "aws:"):
			return errorf(400, "InvalidParameterValue", "Tag keys that begin with aws: are reserved for AWS.")
		case seen[key]:
			return errorf(400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		default:
			seen[key] = true
		}
	}
	for _, k := range p.list("TransitiveTagKeys") {
		if !seen[strings.ToLower(k)] {
			return errorf(400, "InvalidParameterValue", "One or more of the specified transitive tag keys were not found in the list of tags: %s", k)
		}
	}
	return nil
}

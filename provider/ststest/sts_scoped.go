package ststest

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxScopes is how often the same session may be narrowed.
const maxScopes = 3

type scopedResult struct {
	Credentials xmlCredentials
	SessionInfo struct{ Arn, ScopedSessionId string } //nolint:revive // the name is AWS's
}

func (r scopedResult) issuedID() string { return r.Credentials.AccessKeyID }

// getScopedCredentials: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetScopedCredentials.html
func (s *Server) getScopedCredentials(r *request) (any, *Error) {
	parent := s.sessions[r.x.sig.keyID]
	switch description := r.Get("ScopedSessionDescription"); {
	case strings.EqualFold(r.x.r.Host, "sts.amazonaws.com"):
		return nil, errorf(400, "InvalidAction", "GetScopedCredentials is not available on the global endpoint.")
	case parent == nil:
		return nil, errorf(403, "InvalidSubjectCredentials", "Cannot call GetScopedCredentials with long-term credentials.")
	case r.p.scopes >= maxScopes:
		return nil, errorf(400, "InvalidSubjectCredentials", "The credentials have been scoped down %d times already.", maxScopes)
	case utf8.RuneCountInString(description) > 256:
		return nil, validation(description, "scopedSessionDescription", "have length less than or equal to 256")
	case len(r.structs("PolicyArns", "arn")) > 0 || r.Has("RoleArn") || r.Has("SerialNumber"):
		return nil, errorf(400, "ValidationError", "Unexpected parameter.")
	}
	left := parent.expires.Sub(s.now())
	d, e := r.duration(int(left/time.Second)+1, 1, 129600)
	switch {
	case e != nil:
		return nil, e
	case !r.Has("DurationSeconds"):
		d = left // to the very second
	case d > left:
		return nil, errorf(400, "InsufficientSessionLifetime", "The requested DurationSeconds exceeds the remaining lifetime of the session.")
	}
	if e := checkPolicy(r.params); e != nil {
		return nil, e
	}
	if e := s.allow(r.p, "sts:GetScopedCredentials", "*"); e != nil {
		return nil, e
	}
	who := *r.p
	who.scopes++
	who.policies = append(slices.Clone(who.policies), r.policies()...)
	var out scopedResult
	out.Credentials = s.issue(who, s.keyOf(r), d).xml()
	out.SessionInfo.Arn, out.SessionInfo.ScopedSessionId = who.arn, who.userID
	return out, nil
}

// policies are the session policies of a request.
func (p params) policies() []string {
	var all []string
	if policy := p.Get("Policy"); policy != "" {
		all = append(all, policy)
	}
	for _, arn := range p.structs("PolicyArns", "arn") {
		all = append(all, arn[0])
	}
	return all
}

// SessionPolicies are what temporary credentials are narrowed to: documents
// and ARNs, those of the first call first.
func (s *Server) SessionPolicies(accessKeyID string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.sessions[accessKeyID]
	if c == nil {
		return nil
	}
	return slices.Clone(c.who.policies)
}

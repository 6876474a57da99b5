package ststest

import (
	"encoding/json"
	"time"
)

// revocation reads a policy document that denies everything to sessions from
// before a time; the double obeys no other.
func revocation(c *iamCall) (time.Time, *Error) {
	var d struct {
		Version   string
		Statement []struct {
			Effect           string
			Action, Resource []string
			Condition        map[string]map[string]string
		}
	}
	text := c.Get("PolicyDocument")
	if len(text) > 2048 {
		return time.Time{}, errorf(409, "LimitExceeded", "Maximum policy size of 2048 bytes exceeded")
	}
	if c.Get("PolicyName") == "" || json.Unmarshal([]byte(text), &d) != nil || len(d.Statement) != 1 || d.Version != "2012-10-17" {
		return time.Time{}, errorf(400, "MalformedPolicyDocument", "Syntax errors in policy.")
	}
	s := d.Statement[0]
	at, err := time.Parse(time.RFC3339, s.Condition["DateLessThan"]["aws:TokenIssueTime"])
	if err != nil || s.Effect != "Deny" || len(s.Action) != 1 || s.Action[0] != "*" {
		return time.Time{}, errorf(400, "MalformedPolicyDocument", "The double knows only policies that revoke sessions.")
	}
	return at, nil
}

// putUserPolicy: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html
func (s *Server) putUserPolicy(c *iamCall) (any, *Error) {
	at, e := revocation(c)
	if e == nil {
		c.target.revoked = at
	}
	return nil, e
}

// putRolePolicy: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
func (s *Server) putRolePolicy(c *iamCall) (any, *Error) {
	for _, r := range s.roles {
		if r.account == c.p.account && r.name == c.Get("RoleName") {
			at, e := revocation(c)
			if e == nil {
				r.revoked = at
			}
			return nil, e
		}
	}
	return nil, noSuch("The role with name %s cannot be found.", c.Get("RoleName"))
}

package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// The limits of a session policy, in characters and in ARNs:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	maxPolicy     = 2048
	maxPolicyRune = '\u00ff'
	MaxPolicyARNs = 10 // exported: the command line counts them too
)

// SessionPolicy narrows what credentials may do. What its parts allow counts
// together: two of them allow more than one, never more than the identity may.
type SessionPolicy struct {
	Policy     string   // JSON, as ParsePolicy returns it; "" = none
	PolicyARNs []string // managed policies; AWS takes them where a role is assumed only
}

// Narrows reports whether there is anything in it.
func (p SessionPolicy) Narrows() bool { return p.Policy != "" || len(p.PolicyARNs) > 0 }

// ParsePolicy checks what STS checks of an inline session policy before it
// reads it (JSON, its length, its characters), and returns it without the
// blanks that do not count. The error's text completes “the session policy”.
func ParsePolicy(text string) (string, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return "", errors.New("is not valid JSON")
	}
	if b.Bytes()[0] != '{' {
		return "", errors.New("is not a JSON object")
	}
	if n := utf8.RuneCount(b.Bytes()); n > maxPolicy {
		return "", fmt.Errorf("has %d characters without its blanks, but AWS accepts at most %d", n, maxPolicy)
	}
	for _, r := range b.String() {
		if r > maxPolicyRune {
			return "", fmt.Errorf("has the character %q (%U), but AWS accepts none above %U", r, r, maxPolicyRune)
		}
	}
	return b.String(), nil
}

// sessionPolicy reads policy (JSON) and policy_arns (comma-separated) of the
// first of the profiles from one to another that has either.
func (w *walker) sessionPolicy(from, to int) (p SessionPolicy, err error) {
	i := slices.IndexFunc(w.views[from:to+1], func(v *view) bool { return v.get("policy") != "" || v.get("policy_arns") != "" })
	if i < 0 {
		return p, nil
	}
	v := w.views[from+i]
	if text := v.get("policy"); text != "" {
		if p.Policy, err = ParsePolicy(text); err != nil {
			return p, v.errorf("policy", ErrMalformed, "the session policy %v", err)
		}
	}
	p.PolicyARNs = splitList(v.get("policy_arns"))
	if len(p.PolicyARNs) > MaxPolicyARNs {
		return p, v.errorf("policy_arns", ErrMalformed, "%d policy ARNs, but AWS accepts at most %d", len(p.PolicyARNs), MaxPolicyARNs)
	}
	for _, arn := range p.PolicyARNs {
		if !IsPolicyARN(arn) {
			return p, v.errorf("policy_arns", ErrMalformed, "policy_arns has %q, which is not the ARN of a policy", arn)
		}
	}
	return p, nil
}

// narrow gives the answer its session policy: that of the command line, else
// that of the profile asked for or of the next one whose credentials it hands
// out.
func (w *walker) narrow(r *Resolved) error {
	last := len(w.views) - 1
	wi := r.Source.WebIdentity
	var err error
	if wi != nil {
		if wi.SessionPolicy, err = w.sessionPolicy(w.aliasStart(last), last); err != nil {
			return err
		}
	}
	policy := w.options.SessionPolicy
	if !policy.Narrows() {
		if i := slices.IndexFunc(w.views, func(v *view) bool { return v.isRole }); i >= 0 {
			last = i
		}
		if policy, err = w.sessionPolicy(0, last); err != nil {
			return err
		}
	}
	switch n := len(r.Roles); {
	case n > 0:
		r.Roles[n-1].SessionPolicy = policy
	case wi != nil:
		wi.SessionPolicy = policy
	default:
		r.SessionPolicy = policy
	}
	return nil
}

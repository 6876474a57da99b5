package cmd

import (
	"fmt"
	"strings"

	"groat/provider/profile"
	"groat/vault/files"
)

// maxPolicyFile bounds a policy document, in bytes; AWS takes 2,048
// characters of it without its blanks.
const maxPolicyFile = 64 << 10

// policyARNs are the values of --policy-arn, as they are written after it.
type policyARNs []string

// String is one value for all of them.
func (p policyARNs) String() string { return strings.Join(p, ",") }

// sessionPolicy is what --policy and --policy-arn narrow the credentials to.
func sessionPolicy(m minting) (p profile.SessionPolicy, err error) {
	if m.Policy != "" {
		text, what := m.Policy, "--policy"
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			data, err := files.Read(text, maxPolicyFile, files.Any)
			if err != nil {
				return p, usageError(fmt.Sprintf("could not read the policy %s: %v", text, plainReason(err)), "--policy takes a file with a JSON policy, or the policy itself")
			}
			text, what = string(data), "the policy "+text
		}
		if p.Policy, err = profile.ParsePolicy(text); err != nil {
			return p, usageError(what+" "+err.Error(), "write a policy such as {\"Version\":\"2012-10-17\",\"Statement\":[…]}, or name a file with one")
		}
	}
	for _, arn := range m.PolicyARN {
		if !profile.IsPolicyARN(arn) {
			return p, usageError(fmt.Sprintf("--policy-arn: %q is not the ARN of a policy", arn), "write one such as arn:aws:iam::aws:policy/ReadOnlyAccess")
		}
	}
	if n := len(m.PolicyARN); n > profile.MaxPolicyARNs {
		return p, usageError(fmt.Sprintf("--policy-arn is given %d times, but AWS accepts at most %d", n, profile.MaxPolicyARNs), "")
	}
	p.PolicyARNs = m.PolicyARN
	return p, nil
}

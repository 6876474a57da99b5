package profile

import "encoding/json"

// The limits of a session policy:
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	maxPolicy     = 2048
	maxPolicyARNs = 10
)

// sessionPolicy reads policy (JSON) and policy_arns (comma-separated). The
// role's own rights are narrowed to what both allow.
func sessionPolicy(v *view) (policy string, arns []string, err error) {
	policy = v.get("policy")
	switch {
	case len(policy) > maxPolicy:
		return "", nil, v.errorf("policy", ErrMalformed, "the session policy has %d characters, but AWS takes 2048", len(policy))
	case policy != "" && !json.Valid([]byte(policy)):
		return "", nil, v.errorf("policy", ErrMalformed, "the session policy is not valid JSON")
	}
	arns = splitList(v.get("policy_arns"))
	if len(arns) > maxPolicyARNs {
		return "", nil, v.errorf("policy_arns", ErrMalformed, "%d policy ARNs, but AWS takes 10", len(arns))
	}
	for _, arn := range arns {
		if !isPolicyARN(arn) {
			return "", nil, v.errorf("policy_arns", ErrMalformed, "policy_arns has %q, which is not the ARN of a policy", arn)
		}
	}
	return policy, arns, nil
}

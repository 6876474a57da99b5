package provider

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"groat/provider/profile"
)

// AWS's limits for the parameters of AssumeRole.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
const (
	maxPolicy     = 2048 // characters of an inline session policy
	maxPolicyARNs = 10
	maxTags       = 50
	maxTagKey     = 128
	maxTagValue   = 256
)

var (
	roleARNPattern    = regexp.MustCompile(`^arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)
	shorthandPattern  = regexp.MustCompile(`^(\d{12}):(?:role/)?([\w+=,.@/-]+)$`)
	externalIDPattern = regexp.MustCompile(`^[\w+=,.@:/-]{2,1224}$`)
	identityPattern   = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// RoleARN writes out the shorthand ACCOUNT:ROLE for the partition of region
// ("" = aws); anything else comes back as it is.
func RoleARN(s, region string) string {
	m := shorthandPattern.FindStringSubmatch(s)
	if m == nil {
		return s
	}
	return "arn:" + partitionOfRegion(region).id + ":iam::" + m[1] + ":role/" + m[2]
}

// checkRoles refuses what AssumeRole could never accept, before anything is
// called or asked, and writes out shorthand role ARNs.
func (b *planner) checkRoles() error {
	for i := range b.roles {
		role := &b.roles[i]
		role.RoleARN = RoleARN(role.RoleARN, role.Region)
		if err := checkRole(b.profileOf(role), role); err != nil {
			return err
		}
	}
	return nil
}

func checkRole(name string, role *profile.Role) error {
	switch {
	case !roleARNPattern.MatchString(role.RoleARN):
		return malformed(name, "write arn:aws:iam::ACCOUNT:role/NAME (ACCOUNT has 12 digits)",
			"role_arn %q is not the ARN of a role", role.RoleARN)
	case role.ExternalID != "" && !externalIDPattern.MatchString(role.ExternalID):
		return malformed(name, "AWS takes 2 to 1224 letters, digits and _+=,.@:/-", "external_id is not one that AWS accepts")
	case role.SourceIdentity != "" && !identityPattern.MatchString(role.SourceIdentity):
		return malformed(name, "AWS takes 2 to 64 letters, digits and _+=,.@-", "source_identity %q is not one that AWS accepts", role.SourceIdentity)
	}
	if err := checkTags(name, role); err != nil {
		return err
	}
	return checkPolicies(name, role.Policy, role.PolicyARNs)
}

func checkTags(name string, role *profile.Role) error {
	if len(role.Tags) > maxTags {
		return malformed(name, "", "session_tags has %d tags, AWS takes %d", len(role.Tags), maxTags)
	}
	seen := make(map[string]bool, len(role.Tags))
	for _, tag := range role.Tags {
		// AWS compares the keys of tags without regard to case.
		key := strings.ToLower(tag.Key)
		switch {
		case tag.Key == "" || len([]rune(tag.Key)) > maxTagKey:
			return malformed(name, "", "session_tags: key %q must have 1 to %d characters", tag.Key, maxTagKey)
		case len([]rune(tag.Value)) > maxTagValue:
			return malformed(name, "", "session_tags: the value of %q has more than %d characters", tag.Key, maxTagValue)
		case strings.HasPrefix(key, "aws:"):
			return malformed(name, "", "session_tags: %q begins with aws:, which AWS keeps for itself", tag.Key)
		case seen[key]:
			return malformed(name, "", "session_tags: %q is there twice", tag.Key)
		}
		seen[key] = true
	}
	for _, key := range role.TransitiveTags {
		if !seen[strings.ToLower(key)] {
			return malformed(name, "add it to session_tags, or take it out of transitive_session_tags", "transitive_session_tags names %q, which is no session tag", key)
		}
	}
	return nil
}

func checkPolicies(name, policy string, arns []string) error {
	switch {
	case policy != "" && !json.Valid([]byte(policy)):
		return malformed(name, "write the whole JSON document on one line", "policy is not valid JSON")
	case len([]rune(policy)) > maxPolicy:
		return malformed(name, "use policy_arns for a longer one", "policy has %d characters, AWS takes %d", len([]rune(policy)), maxPolicy)
	case len(arns) > maxPolicyARNs:
		return malformed(name, "", "policy_arns has %d ARNs, AWS takes %d", len(arns), maxPolicyARNs)
	}
	for _, arn := range arns {
		if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":policy/") {
			return malformed(name, "", "policy_arns: %q is not the ARN of a managed policy", arn)
		}
	}
	return nil
}

// malformed is a configuration error about one profile.
func malformed(name, remedy, format string, args ...any) error {
	text := sanitizeText(fmt.Sprintf(format, args...))
	return &profile.Error{
		Profile: name,
		Err:     fmt.Errorf("profile %q: %s (%w)", name, text, profile.ErrMalformed),
		Remedy:  remedy,
	}
}

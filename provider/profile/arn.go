package profile

import (
	"fmt"
	"strings"

	"groat/vault/fault"
)

// Hand-written checks: compiling regular expressions at start-up would cost
// every credential_process call more than reading its configuration.

// isRoleARN reports whether s is arn:PARTITION:iam::ACCOUNT:role/PATH-AND-NAME.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func isRoleARN(s string) bool { return isIAMARN(s, "role/", isAccount) }

// IsPolicyARN reports whether s is the ARN of a managed policy, AWS's or an
// account's own.
func IsPolicyARN(s string) bool {
	return isIAMARN(s, "policy/", func(account string) bool { return account == "aws" || isAccount(account) })
}

func isIAMARN(s, resource string, account func(string) bool) bool {
	part := strings.SplitN(s, ":", 6)
	return len(part) == 6 && part[0] == "arn" && isPartition(part[1]) && part[2] == "iam" && part[3] == "" &&
		account(part[4]) && strings.HasPrefix(part[5], resource) && isGraphic(part[5][len(resource):])
}

func isPartition(s string) bool {
	return strings.HasPrefix(s, "aws") && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == ""
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// isGraphic reports whether s is printable ASCII without blanks, and not empty.
func isGraphic(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// isSourceIdentity is STS's [\w+=,.@-]{2,64}.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
func isSourceIdentity(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_+=,.@-", c) >= 0) {
			return false
		}
	}
	return len(s) >= 2 && len(s) <= 64
}

// ParseRoleARN takes a role's ARN, or "account:role" as its short form in
// the partition, and gives the ARN. Other text wraps ErrMalformed.
func ParseRoleARN(s, partition string) (string, error) {
	if isRoleARN(s) {
		return s, nil
	}
	if account, name, ok := strings.Cut(s, ":"); ok && isAccount(account) {
		arn := "arn:" + partition + ":iam::" + account + ":role/" + strings.TrimPrefix(name, "role/")
		if isRoleARN(arn) {
			return arn, nil
		}
	}
	return "", fault.New(fmt.Sprintf("%q is not a role: write arn:aws:iam::ACCOUNT:role/NAME or ACCOUNT:NAME", s), "", ErrMalformed)
}

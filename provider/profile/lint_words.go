package profile

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// plainKeys have values that are never in quotes.
var plainKeys = []string{
	"region", "role_arn", "source_profile", "credential_source", "external_id", "mfa_serial", "role_session_name", "duration_seconds",
	"sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name", "include_profile", "endpoint_url", "services",
	"aws_access_key_id", "aws_secret_access_key", "login_session",
}

// otherKeys are keys that somebody reads and that are close to one of ours,
// or to each other's.
var otherKeys = []string{ExportedKey, "login_session", "agent", "confirm", "sso_auto_populated", "sigv4a_signing_region_set", "s3_us_east_1_regional_endpoint", "s3_use_arn_region"}

// misspelt gives the key that was meant by one that nobody reads; "" where
// the key is known, or like none that decides about credentials.
func misspelt(key string) string {
	ours := slices.Concat(chainKeys, callKeys, secretKeys, []string{"login_session"})
	if slices.Contains(ours, key) || slices.Contains(otherKeys, key) {
		return ""
	}
	bare := func(s string) string { return strings.NewReplacer("_", "", "-", "", " ", "").Replace(s) }
	for _, k := range ours {
		if bare(k) == bare(key) {
			return k
		}
	}
	for _, k := range ours {
		limit := min(len(k)/6, 2)
		if letters(k) == letters(key) { // two of them changed places
			limit = 2
		}
		if levenshtein.ComputeDistance(k, key) <= limit {
			return k
		}
	}
	return ""
}

// letters are a word's, in order of the alphabet.
func letters(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// regionShaped reports whether a text looks like the name of a region:
// words and a number, such as us-gov-west-1.
func regionShaped(s string) bool {
	parts := strings.Split(s, "-")
	if s == "aws-global" {
		return true
	}
	for i, part := range parts {
		letters := strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") == "" && len(part) > 1
		digit := len(part) == 1 && part[0] >= '1' && part[0] <= '9'
		if i == len(parts)-1 && !digit || i < len(parts)-1 && !letters {
			return false
		}
	}
	return len(parts) >= 3
}

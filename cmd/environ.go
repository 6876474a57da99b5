package cmd

import (
	"slices"
	"strings"

	"groat/provider"
	"groat/session"
)

// childEnv is what a child process gets from groat. Exactly one of the three
// ways of handing over credentials is set: Credentials, ProfileEnv or Server.
type childEnv struct {
	// Profile is the name the user typed: shell prompts show it.
	Profile string
	// Region is the configured region; "" leaves the inherited one alone.
	Region string
	// Credentials go into the environment themselves.
	Credentials session.Credentials
	// ProfileEnv sets AWS_PROFILE to Profile instead of keys, so that the
	// SDKs come back for fresh ones through credential_process.
	ProfileEnv bool
	// Server points the SDKs to a server of ours instead of keys.
	Server serverEnv
}

// serverEnv names a running server. The zero value is none.
type serverEnv struct {
	URI         string // container-credentials endpoint
	Token       string // its authorization token; or
	TokenFile   string // a file that holds the token
	MetadataURL string // IMDSv2 endpoint instead of the container's
}

// credentialVariables say who an AWS client is. An inherited one would
// compete with ours, and every SDK settles that its own way, so none is left.
// Names that end in "*" are prefixes.
var credentialVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN", // names of older SDKs
	"AWS_CREDENTIAL_EXPIRATION", "AWS_SESSION_EXPIRATION", "AWS_CREDENTIAL_FILE", "AWS_ACCOUNT_ID",
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	"AWS_CONTAINER_*",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
	"AWS_BEARER_TOKEN_*",
	"AWS_VAULT", // aws-vault's own name for GROAT_PROFILE, set anew below
}

// ownVariables are groat's and stay with groat: the vault's passphrase, what
// guards against a credential_process that calls groat in a circle (a child
// may well call groat anew), and the name of the outer shell's profile.
var ownVariables = []string{
	"GROAT_FILE_PASSPHRASE", newPassphraseVariable, sourcePassphraseVariable, "GROAT_PROFILE", provider.ProcessChainVariable,
}

// metadataVariables decide whether and where an SDK looks for the EC2
// instance metadata service.
var metadataVariables = []string{
	"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
	"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_V1_DISABLED",
}

// variable is one NAME=value of an environment.
type variable struct{ Name, Value string }

// credentialEnviron is what credentials look like as variables, in the order
// in which they are set and exported. Empty values are left out: an empty
// AWS_SESSION_TOKEN is an invalid token to some SDKs.
func credentialEnviron(c session.Credentials, region string) []variable {
	vars := []variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_SESSION_TOKEN", c.SessionToken},
		{"AWS_CREDENTIAL_EXPIRATION", formatExpiration(c.Expiration)},
		{"AWS_REGION", region},
		{"AWS_DEFAULT_REGION", region},
	}
	return slices.DeleteFunc(vars, func(v variable) bool { return v.Value == "" })
}

// variables are what is set in the child, each once.
func (c childEnv) variables() []variable {
	var vars []variable
	switch {
	case c.ProfileEnv:
		vars = append([]variable{{"AWS_PROFILE", c.Profile}}, credentialEnviron(session.Credentials{}, c.Region)...)
	case c.Server != serverEnv{}:
		vars = append(c.Server.variables(), credentialEnviron(session.Credentials{}, c.Region)...)
	default:
		vars = credentialEnviron(c.Credentials, c.Region)
	}
	return append(vars, variable{"GROAT_PROFILE", c.Profile}, variable{"AWS_VAULT", c.Profile})
}

func (s serverEnv) variables() []variable {
	if s.MetadataURL != "" {
		return []variable{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", s.MetadataURL}}
	}
	vars := []variable{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", s.URI}}
	if s.TokenFile != "" {
		return append(vars, variable{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", s.TokenFile})
	}
	return append(vars, variable{"AWS_CONTAINER_AUTHORIZATION_TOKEN", s.Token})
}

// environ makes the child's environment from the parent's: no inherited
// credential or profile variable, nothing of groat's own, then the variables
// of c; no name appears twice. foldCase is set on Windows, where PATH and
// Path are one variable.
func (c childEnv) environ(parent []string, foldCase bool) []string {
	if c.Region == "" {
		c.Region = inheritedRegion(parent, foldCase)
	}
	set := c.variables()
	var drop []string
	if c.Server.MetadataURL != "" {
		drop = slices.Clone(metadataVariables)
	}
	for _, v := range set {
		drop = append(drop, v.Name)
	}
	out := cleanEnviron(parent, foldCase, drop...)
	for _, v := range set {
		out = append(out, v.Name+"="+v.Value)
	}
	return out
}

// cleanEnviron is the parent's environment without credential and profile
// variables, without groat's own, and without those of drop; no name appears
// twice.
func cleanEnviron(parent []string, foldCase bool, drop ...string) []string {
	drop = slices.Concat(drop, credentialVariables, ownVariables)
	seen := make(map[string]bool, len(parent))
	out := make([]string, 0, len(parent)+8)
	for _, entry := range parent {
		name := foldName(entryName(entry), foldCase)
		// Of two entries with one name the first counts, as for getenv(3).
		if seen[name] || matchesAny(name, drop) {
			continue
		}
		seen[name] = true
		out = append(out, entry)
	}
	return out
}

// inheritedRegion is the region that the environment itself configures, so
// that the child gets one region under both names.
func inheritedRegion(parent []string, foldCase bool) string {
	for _, want := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		for _, entry := range parent {
			if name := entryName(entry); foldName(name, foldCase) == want {
				if v := strings.TrimPrefix(entry[len(name):], "="); v != "" {
					return v
				}
				break
			}
		}
	}
	return ""
}

// entryName is the part before "=". Windows keeps each drive's current
// directory in variables whose name begins with "=" ("=C:=C:\work").
func entryName(entry string) string {
	if entry == "" {
		return ""
	}
	if i := strings.IndexByte(entry[1:], '='); i >= 0 {
		return entry[:i+1]
	}
	return entry
}

func foldName(name string, foldCase bool) string {
	if foldCase {
		return strings.ToUpper(name)
	}
	return name
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return name == p
	})
}

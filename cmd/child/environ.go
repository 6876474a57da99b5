package child

import (
	"slices"
	"strings"
	"time"

	"groat/session"
)

// Env is what a command (exec, each) gets from groat. Exactly one of the three
// ways of handing over credentials is set: Credentials, ProfileEnv or Server.
type Env struct {
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
	Server Server
}

// Server names a running server. The zero value is none.
type Server struct {
	URI         string // container-credentials endpoint
	Token       string // its authorization token; or
	TokenFile   string // a file that holds the token
	MetadataURL string // IMDSv2 endpoint instead of the container's
}

// metadataVariables decide whether and where an SDK looks for the EC2
// instance metadata service.
var metadataVariables = []string{
	"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
	"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_V1_DISABLED",
}

// Variable is one NAME=value of an environment.
type Variable struct{ Name, Value string }

// Variables are what credentials look like as variables, in the order
// in which they are set and exported. Empty values are left out: an empty
// AWS_SESSION_TOKEN is an invalid token to some SDKs.
func Variables(c session.Credentials, region string) []Variable {
	vars := []Variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey},
		{"AWS_SESSION_TOKEN", c.SessionToken},
		{"AWS_CREDENTIAL_EXPIRATION", FormatExpiration(c.Expiration)},
		{"AWS_REGION", region},
		{"AWS_DEFAULT_REGION", region},
	}
	return slices.DeleteFunc(vars, func(v Variable) bool { return v.Value == "" })
}

// variables are what is set in the child, each once.
func (c Env) variables() []Variable {
	var vars []Variable
	switch {
	case c.ProfileEnv:
		vars = append([]Variable{{"AWS_PROFILE", c.Profile}}, Variables(session.Credentials{}, c.Region)...)
	case c.Server != Server{}:
		vars = append(c.Server.Variables(), Variables(session.Credentials{}, c.Region)...)
	default:
		vars = Variables(c.Credentials, c.Region)
	}
	return append(vars, Variable{"GROAT_PROFILE", c.Profile}, Variable{"AWS_VAULT", c.Profile})
}

// Variables lead an SDK to the server.
func (s Server) Variables() []Variable {
	if s.MetadataURL != "" {
		return []Variable{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", s.MetadataURL}}
	}
	vars := []Variable{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", s.URI}}
	if s.TokenFile != "" {
		return append(vars, Variable{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", s.TokenFile})
	}
	return append(vars, Variable{"AWS_CONTAINER_AUTHORIZATION_TOKEN", s.Token})
}

// Environ makes the environment of a command from the parent's: no inherited
// credential or profile variable, nothing of groat's own, then the variables
// of c; no name appears twice.
func (c Env) Environ(parent []string) []string { return c.environ(parent, foldsCase) }

func (c Env) environ(parent []string, foldCase bool) []string {
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
	out := filter(parent, foldCase, slices.Concat(drop, credentialVariables, ownVariables))
	for _, v := range set {
		out = append(out, v.Name+"="+v.Value)
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

// FormatExpiration is RFC 3339 in UTC with whole seconds; "" for never.
func FormatExpiration(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

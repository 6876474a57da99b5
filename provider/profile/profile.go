// Package profile reads, resolves and edits the AWS shared config and
// credentials files, and nothing else.
package profile

import (
	"errors"
	"fmt"
	"time"
)

// SourceKind says where a chain's first credentials come from.
type SourceKind string

// The kinds of source.
const (
	SourceKey         SourceKind = "key"          // long-lived key in the vault
	SourceStatic      SourceKind = "static"       // plaintext keys in the credentials or config file
	SourceSSO         SourceKind = "sso"          // IAM Identity Center
	SourceWebIdentity SourceKind = "web-identity" // AssumeRoleWithWebIdentity
	SourceLogin       SourceKind = "login"        // AWS Sign-In
	SourceProcess     SourceKind = "process"      // a foreign credential_process
	SourceEnvironment SourceKind = "Environment"  // credential_source
	SourceEC2         SourceKind = "Ec2InstanceMetadata"
	SourceECS         SourceKind = "EcsContainer"
	SourceNone        SourceKind = "none" // no key anywhere: `groat add` is the remedy
)

// Resolved is a profile with everything decided that its files decide. The
// plan is made from it.
type Resolved struct {
	Name    string // the name asked for
	Profile string // the profile it stands for (differs when `configure` or a credential_process made Name an alias)
	Source  Source
	Roles   []Role // in the order they are assumed; the last one is the answer. Empty: the source's own session.
	// SessionPolicy narrows the source's own session. Where a role is the
	// answer, the role or the web identity has it.
	SessionPolicy

	Region          string   // of the profile itself (own, else its source's); "" if none is configured
	DurationSeconds int      // the profile's duration_seconds; 0 = unset
	MFAProcess      string   // effective mfa_process; "" = none
	Confirm         string   // ConfirmAlways, Confirm15m or ""
	Agent           string   // what AI agents may: one of the Agent… words; "" if the profile does not say
	Chain           []string // the profiles walked, first Name, last the source: for explain and errors
	Warnings        []string // one line each
}

// AssumesRole reports whether a role is assumed, by a call of its own or by
// the web identity's.
func (r *Resolved) AssumesRole() bool { return len(r.Roles) > 0 || r.Source.WebIdentity != nil }

// When a person is asked before credentials are handed out: the values of a
// profile's confirm.
const (
	ConfirmAlways = "always"
	Confirm15m    = "15m" // a yes counts for 15 minutes
)

// What an AI agent may: the values of a profile's agent.
const (
	AgentAllow    = "allow"
	AgentAsk      = "ask"       // a person is asked
	AgentReadOnly = "read-only" // AWS's ReadOnlyAccess narrows the role
	AgentDeny     = "deny"
)

// AgentWords are the values of agent.
var AgentWords = []string{AgentAllow, AgentAsk, AgentReadOnly, AgentDeny}

// Source is where the chain's first credentials come from.
type Source struct {
	Kind    SourceKind
	Profile string // the profile whose section (or stored key) it is
	Region  string // that profile's region, else AWS_REGION's; "" if none
	// MFASerial is the serial for GetSessionToken from a key: the asking
	// profile's own, else the source profile's, else the card's (filled by the plan).
	MFASerial string
	// LongLived says of credential_source = Environment that there is no
	// session token beside the key.
	LongLived   bool
	NoMFA       bool // --mfa-serial none: not even the card's serial is used
	Static      *StaticKey
	SSO         *SSO
	WebIdentity *WebIdentity
	// LoginSession is the ARN of whoever signs in to AWS.
	LoginSession string
	Process      string // the credential_process line
	Endpoints    Endpoints
}

// StaticKey is a plaintext key from a file. SessionToken is often empty.
type StaticKey struct {
	AccessKeyID, SecretAccessKey, SessionToken string
	File                                       string
	Shared                                     bool // File is the credentials file
}

// String hides the secret.
func (k StaticKey) String() string { return "access key " + k.AccessKeyID }

// GoString hides the secret.
func (k StaticKey) GoString() string { return k.String() }

// SSO is an IAM Identity Center source, from an sso-session or the legacy keys.
type SSO struct {
	Session            string // sso-session name; "" for legacy
	StartURL, Region   string
	RegistrationScopes []string
	AccountID          string
	RoleName           string
}

// WebIdentity is a source by AssumeRoleWithWebIdentity. One of TokenFile and
// TokenProcess is set.
type WebIdentity struct {
	RoleARN, SessionName    string
	TokenFile, TokenProcess string
	SessionPolicy
}

// Role is one AssumeRole.
type Role struct {
	Profile         string // the profile that names it ("" for --role-arn)
	RoleARN         string
	ExternalID      string
	SessionName     string // as configured, unsanitised; "" = choose
	MFASerial       string // effective: own, else the source profile's
	SourceIdentity  string
	Tags            []Tag // in the order written
	TransitiveTags  []string
	DurationSeconds int    // this profile's duration_seconds; 0 = unset
	Region          string // effective region for this call
	Endpoints       Endpoints
	SessionPolicy
}

// Tag is a session tag.
type Tag struct{ Key, Value string }

// Endpoints says where calls go for one profile, as the files and the
// environment decide it.
type Endpoints struct {
	STSRegional string            // sts_regional_endpoints: "regional", "legacy" or ""
	URL         map[string]string // service id in lower case ("sts", "iam", "sso", "sso_oidc", "" = all) → endpoint_url
	FIPS        bool
	DualStack   bool
	CABundle    string // path
}

// ResolveOptions are what the command line and the vault add to the files.
type ResolveOptions struct {
	// HoldsKey reports whether the vault holds a long-lived key under exactly
	// this name. An error ends the resolution.
	HoldsKey func(name string) (bool, error)
	// KeyNames are names that hold a key as far as is known without the vault:
	// suggestions for a misspelt one. It may be nil.
	KeyNames  func() []string
	RoleARN   string // --role-arn: replaces the profile's role
	MFASerial string // --mfa-serial, else AWS_MFA_SERIAL: wins over the files; "none" = no MFA
	Region    string // --region
	// SessionPolicy is --policy and --policy-arn: it takes the place of what
	// the profile says.
	SessionPolicy
	// Getenv reads the injected environment (AWS_REGION, AWS_ENDPOINT_URL…).
	Getenv func(string) string
	// Looking says that nothing will be carried out: a line that would not be
	// obeyed is a warning, not an error.
	Looking bool
	// SelfProfile recognises a credential_process line that calls this very
	// tool and returns the profile it asks for; plain says that it asks for
	// nothing else, such as another role.
	SelfProfile func(line string) (name string, plain, ok bool)
}

// What is wrong with a configuration. Use errors.Is.
var (
	ErrUnknownProfile = errors.New("unknown profile")
	ErrCycle          = errors.New("profiles refer to each other in a circle")
	ErrMalformed      = errors.New("malformed configuration")
	ErrUnsupported    = errors.New("unsupported configuration")
	ErrUntrusted      = errors.New("the line is not trusted")
	ErrConflict       = errors.New("the file was changed by another program")
	ErrAccess         = errors.New("the file cannot be read or written") // for errors.Is; the text is the system's
)

// accessError is a failure of the system that counts as ErrAccess.
type accessError struct{ error }

// Is makes it an ErrAccess.
func (accessError) Is(target error) bool { return target == ErrAccess }

// Unwrap gives the system's error to errors.Is.
func (e accessError) Unwrap() error { return e.error }

// Error is a configuration error with its place.
type Error struct {
	File    string // "" if none
	Line    int    // 1-based; 0 if none
	Profile string // "" if it concerns all
	Err     error  // wraps a sentinel; its text is the whole message
	Remedy  string // one line; may be empty

	unknown *unknownProfile // has text and remedy, where it is there
}

// Error is one line: the place, then the message.
func (e *Error) Error() string {
	text := e.Err.Error()
	if e.unknown != nil {
		text = e.unknown.text()
	}
	if e.File != "" && e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, text)
	}
	return text
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Hint is the remedy, for the one place that prints it.
func (e *Error) Hint() string {
	if e.Remedy == "" && e.unknown != nil {
		return e.unknown.remedy()
	}
	return e.Remedy
}

// Duration is the profile's duration_seconds as a duration; 0 = unset.
func (r *Resolved) Duration() time.Duration { return time.Duration(r.DurationSeconds) * time.Second }

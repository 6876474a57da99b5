// Package provider turns a resolved profile into credentials: plan.go decides
// (pure), chain.go carries out, and one file holds each AWS call.
package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/accesskey"
)

// Card is what is known of a stored key without opening it.
type Card struct {
	Profile, KeyID, Generation, Account, UserName, MFASerial string
}

// Keys reads the vault. Errors of the vault pass through unwrapped enough
// for errors.Is; a missing key is ErrNoKey.
type Keys interface {
	Card(ctx context.Context, profile string) (Card, error)
	Key(ctx context.Context, profile string) (accesskey.Key, error)
	// Mend makes the card that of the stored key again, where an older one was
	// put back. It is called when the two are of different generations.
	Mend(ctx context.Context, profile string) error
}

// Options are the minting flags of the command line, already validated as
// durations and merged by precedence.
type Options struct {
	SessionTTL    time.Duration // GetSessionToken; 0 = default 8 h
	AssumeRoleTTL time.Duration // 0 = the profile's duration_seconds, else 1 h
	NoSession     bool
	Agent         string // the AI agent that calls, in lower case; "" = a person
	AgentRule     string // what agents may where the profile does not say: one of profile.AgentWords; "" = allow
	OSUser        string // the operating system's user name, last choice for role session names
}

// Step is one call of a plan.
type Step struct {
	Operation   Operation
	Profile     string        // minted for
	Duration    time.Duration // asked for; 0 where AWS decides
	MFASerial   string        // set exactly when the token code goes into this call
	MFAProcess  string
	Role        *profile.Role // AssumeRole
	Region      string        // of the STS (or SSO) endpoint
	Partition   string        // aws, aws-cn, aws-us-gov, aws-iso, …
	Endpoints   profile.Endpoints
	SessionName string // sanitised role session name; "" where none applies
	Agent       string // the AI agent that the name shows; "" = none
	Description string // GetScopedCredentials: what CloudTrail shows of it
	profile.SessionPolicy
}

// Plan is what will be called to answer for a profile: a pure function of
// the resolved profile, the options and the card of the key.
type Plan struct {
	Profile  string
	Source   profile.Source
	Chain    []string // the profiles walked, from the one asked for to the source
	Card     *Card    // of the long-lived key; nil for other sources
	Steps    []Step   // in the order they are called; the last one's credentials are the answer
	Region   string   // for the child; "" if none was configured
	Consent  Consent  // what is asked before the answer is handed out
	Warnings []string // of the plan itself; Resolved has its own
}

// CodeRequest is what a token code is needed for.
type CodeRequest struct {
	Profile    string // asked for by the user
	RoleARN    string // "" for a plain session
	MFASerial  string
	MFAProcess string // the profile's mfa_process
	Attempt    int    // 1, or more after a code was refused
	Reason     string // why it is asked again, in words; "" at first
}

// CodeSource answers with a six-digit token code. Errors wrap ErrNoCode
// (nobody to ask, wrong tool, timed out), ErrCancelled or ErrInterrupted.
type CodeSource interface {
	TokenCode(ctx context.Context, req CodeRequest) (string, error)
}

// What can go wrong. Use errors.Is.
var (
	ErrNoKey       = errors.New("no access key is stored")
	ErrKeyReplaced = errors.New("the access key was replaced")
	ErrNoCode      = errors.New("a token code is needed")
	ErrCancelled   = errors.New("the prompt was cancelled")
	ErrIdentity    = errors.New("somebody else signed in")
	ErrInterrupted = errors.New("interrupted")
	ErrRefused     = errors.New("refused by AWS")
	ErrUnreachable = errors.New("AWS could not be reached")
	ErrBounds      = errors.New("duration is out of AWS's bounds")
	ErrBadProcess  = errors.New("credential process failed")
)

// CallError is a failed AWS call. It never holds the request, nor any
// secret.
type CallError struct {
	Operation string // "sts:AssumeRole"
	Profile   string
	Target    string // role ARN or the like; may be empty
	Code      string // AWS's error code; "" when there was no answer
	Message   string // AWS's message, as long as it came
	Status    int    // HTTP status; 0 when there was no answer
	Err       error  // wraps ErrRefused or ErrUnreachable
	Remedy    string
	// Skew is how far AWS's clock is ahead of this machine's, by the Date
	// header of the refusal; 0 when there was none.
	Skew time.Duration

	neverSent bool // the request did not go out: nothing of it was seen
	silent    bool // nothing came back in time
	own       bool // the fault of this process's own environment, not of AWS's
}

// maxErrorText bounds in bytes what an answer, which may be anybody's, may
// occupy of an error.
const maxErrorText = 1000

// Error is one sentence.
func (e *CallError) Error() string {
	s := fmt.Sprintf("%s for profile %q", e.Operation, e.Profile)
	if e.Target != "" {
		s += " (" + e.Target + ")"
	}
	s += ": " + e.Err.Error()
	if e.Code != "" {
		s += ": " + e.Code
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if len(s) > maxErrorText {
		s = strings.ToValidUTF8(s[:maxErrorText], "") + "…"
	}
	return s
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *CallError) Unwrap() error { return e.Err }

// Hint is the remedy, for the one place that prints it.
func (e *CallError) Hint() string { return e.Remedy }

// Seeds reads stored TOTP seeds. ok is false where none is stored.
type Seeds interface {
	// Seed is the base32 secret of the device with this serial.
	Seed(ctx context.Context, serial string) (secret string, ok bool, err error)
}

// Minter carries out plans. Its fields are set once, before the first use;
// it is safe for concurrent use from then on.
type Minter struct {
	Keys   Keys
	Cache  *session.Cache // its Flight's Outcomes should be this package's
	HTTP   *http.Client   // one for all calls of a process: one connection; nil: made per CA bundle, with Proxy
	Now    func() time.Time
	Proxy  ProxyFunc // of the clients made here; nil: none
	Getenv func(string) string
	Warn   func(msg string)
	Debugf func(format string, args ...any)

	// Where token codes come from, in this order.
	MFACode string                // --mfa-code: used for one call
	Run     func(*exec.Cmd) error // runs mfa_process and credential_process lines; nil: (*exec.Cmd).Run
	Seeds   Seeds                 // nil: none are stored
	Codes   CodeSource            // the prompt; nil: nobody can be asked

	// Assumed is told of each role that was minted: the profile whose key is
	// the root, the role and the end of its session. Nil drops it.
	Assumed func(keyProfile, roleARN string, expiration time.Time)

	// Answered is told how the answer to a plan was had: from the cache, or
	// minted by this call. Nil drops it.
	Answered func(fromCache bool)

	// Tokens keeps the sign-ins; nil: none are kept.
	Tokens session.Store
	SignIn SignIn // nil: nobody can sign in
	// AskUntil is when a sign-in that nobody completes is given up; zero:
	// when the service that is signed in to gives it up.
	AskUntil time.Time

	// Wait sleeps until the next time step of a code, and between questions
	// to a service that waits for a person; nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Environ is what child processes inherit.
	Environ []string
	// Stderr takes what child processes say to the user; nil drops it.
	Stderr io.Writer
	// Machine tells this computer from others that share its home
	// directory: an instance's credentials are cached for it alone. Nil, or
	// an error: it has no name.
	Machine func() (string, error)

	clients httpClients
}

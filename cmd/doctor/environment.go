package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"groat/provider"
	"groat/provider/profile"
)

// keyVariables are those that every SDK takes before a profile.
var keyVariables = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}

// urlVariables say where calls go.
var urlVariables = []string{
	"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SIGNIN",
}

// unread are aws-vault's variables that mean something else here, with what
// to set instead; see docs/coming-from.md.
var unread = map[string]string{
	"AWS_SESSION_TOKEN_TTL": "GROAT_SESSION_TTL", "AWS_CHAINED_SESSION_TOKEN_TTL": "GROAT_SESSION_TTL",
	"AWS_ASSUME_ROLE_TTL": "GROAT_ASSUME_ROLE_TTL", "AWS_MIN_TTL": "GROAT_MIN_TTL",
}

// environment looks at the variables that groat or the SDKs heed.
func (e *exam) environment() {
	e.keysInEnvironment()
	e.profileVariables()
	e.regionVariables()
	e.fileVariables()
	for _, name := range urlVariables {
		if url := e.Getenv(name); url != "" {
			if err := provider.CheckEndpointURL(url); err != nil {
				f := e.fromError("endpoint", Error, err)
				f.Message, f.Remedy = name+": "+f.Message, unset(name)
				e.add(f)
			}
		}
	}
	if serial := e.Getenv("AWS_MFA_SERIAL"); serial != "" && serial != "none" && !provider.IsSerial(serial) {
		e.variable("environment", Error, "AWS_MFA_SERIAL", "AWS_MFA_SERIAL %q is neither the ARN of an MFA device nor a hardware serial number", serial)
	}
	for _, name := range slices.Sorted(maps.Keys(unread)) {
		if e.Getenv(name) != "" {
			e.variable("unread-variable", Warning, name, "%s is aws-vault's and is not read: set %s", name, unread[name])
		}
	}
	for _, name := range e.Variables {
		if near := profile.Near(name, e.Known); !slices.Contains(e.Known, name) && len(near) > 0 {
			e.variable("unread-variable", Warning, name, "%s is not a variable that groat reads: write %s", name, near[0])
		}
	}
	e.questions()
	e.agent()
}

// variable is a finding about one variable.
func (e *exam) variable(check, severity, name, format string, args ...any) {
	e.add(Finding{Check: check, Severity: severity, Message: fmt.Sprintf(format, args...), Remedy: unset(name)})
}

// keysInEnvironment go before every profile.
func (e *exam) keysInEnvironment() {
	if e.Getenv("AWS_ACCESS_KEY_ID") == "" {
		return
	}
	if e.Getenv("GROAT_PROFILE") == "" && e.Getenv("AWS_VAULT") == "" {
		e.add(Finding{Check: "environment-key", Severity: Warning, Remedy: unset(keyVariables...),
			Message: "AWS_ACCESS_KEY_ID is set, and SDKs use it before any profile"})
		return
	}
	if end, err := time.Parse(time.RFC3339, e.Getenv("AWS_CREDENTIAL_EXPIRATION")); err == nil && end.Before(e.Now) {
		e.add(Finding{Check: "environment-expired", Severity: Error, Remedy: "exit",
			Message: "the credentials of this shell ended at " + end.Format(time.RFC3339) + ": leave it, and start another with groat exec"})
	}
}

func (e *exam) profileVariables() {
	name := e.Getenv("AWS_PROFILE")
	if other := e.Getenv("AWS_DEFAULT_PROFILE"); other != "" && other != name {
		e.variable("environment", Warning, "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_PROFILE is %q and AWS_PROFILE %q: tools choose one or the other", other, name)
	}
	if name != "" && e.Config != nil && !e.Config.Exists(name) && !slices.ContainsFunc(e.Keys, func(k Key) bool { return k.Profile == name }) && !e.Lost {
		message := fmt.Sprintf("AWS_PROFILE names profile %q, which does not exist", name)
		if near := profile.Near(name, e.Config.Names()); len(near) > 0 {
			message += fmt.Sprintf(" (did you mean %q?)", near[0])
		}
		e.add(Finding{Check: "unknown-profile", Severity: Error, Profile: name, Message: message, Remedy: unset("AWS_PROFILE")})
	}
	arn, file := e.Getenv("AWS_ROLE_ARN"), e.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE")
	switch {
	case arn != "" && file == "":
		e.variable("environment", Warning, "AWS_ROLE_ARN", "AWS_ROLE_ARN is set without AWS_WEB_IDENTITY_TOKEN_FILE: groat ignores it, but some SDKs use it")
	case file != "" && arn == "":
		e.variable("environment", Warning, "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN, and has no effect")
	case file != "" && !exists(file):
		e.variable("missing-file", Error, "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE names %s, which does not exist", file)
	}
}

func (e *exam) regionVariables() {
	region, fallback := e.Getenv("AWS_REGION"), e.Getenv("AWS_DEFAULT_REGION")
	if region != "" && fallback != "" && region != fallback {
		e.variable("environment", Warning, "AWS_DEFAULT_REGION", "AWS_REGION is %s and AWS_DEFAULT_REGION %s: boto3 takes the second, others the first", region, fallback)
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if v := e.Getenv(name); v != "" && !provider.IsRegion(v) {
			e.variable("environment", Error, name, "%s %q is not a valid region", name, v)
		}
	}
}

func (e *exam) fileVariables() {
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_CA_BUNDLE"} {
		if path := e.Getenv(name); path != "" && !exists(strings.Replace(path, "~", e.AWSDir+"/..", 1)) {
			e.variable("missing-file", Error, name, "%s names %s, which does not exist", name, path)
		}
	}
}

func (e *exam) inEnvironment(url string) bool {
	return slices.ContainsFunc(urlVariables, func(name string) bool { return e.Getenv(name) == url })
}

// questions: a code will be needed, and no question may be asked.
func (e *exam) questions() {
	if e.Silenced == nil || e.Config == nil {
		return
	}
	for _, name := range e.Config.Names() {
		r, err := e.Resolve(name)
		if err != nil || r.Source.Kind != profile.SourceKey || r.MFAProcess != "" || r.Source.MFASerial == "" {
			continue
		}
		f := e.fromError("no-prompt", Error, e.Silenced)
		f.Profile, f.Message = name, fmt.Sprintf("profile %q needs a token code, and there is no way to ask for it: %s", name, f.Message)
		f.File, f.Remedy = e.SilencedFile, e.loud()
		e.add(f)
		return // for one profile; the rest is the same
	}
}

// loud lets questions be asked again.
func (e *exam) loud() string {
	if e.SilencedFile != "" {
		return e.edit(e.SilencedFile, 0)
	}
	return unset("GROAT_PROMPT", "GROAT_NO_INPUT")
}

// agent: what an agent runs without naming a profile should not be an
// administrator.
func (e *exam) agent() {
	name := e.Getenv("AWS_PROFILE")
	if name == "" {
		name = "default"
	}
	if e.Agent == "" || e.Config == nil || e.Config.Value(name, "agent") != "" {
		return
	}
	r, err := e.Resolve(name)
	if err != nil {
		return
	}
	role := ""
	if n := len(r.Roles); n > 0 {
		role = r.Roles[n-1].RoleARN
	} else if r.Source.SSO != nil {
		role = r.Source.SSO.RoleName
	}
	if !strings.Contains(strings.ToLower(role), "admin") {
		return
	}
	file, line := e.place(name, "role_arn", "sso_role_name")
	e.add(Finding{Check: "agent-admin", Severity: Warning, Profile: name, File: file, Line: line, Remedy: e.edit(file, line),
		Message: fmt.Sprintf("the AI agent %s is running, and profile %q, its default, is an administrator: write agent = read-only there", e.Agent, name)})
}

package profile

import (
	"fmt"
	"strings"

	"groat/vault/fault"
)

// ownSource takes the credentials that the profile itself names, in the
// order of botocore: IAM Identity Center, keys of the credentials file, a
// login_session, a credential_process, keys of the config file.
func (w *walker) ownSource(v *view) (next string, alias bool, err error) {
	for _, source := range []func(*view) error{w.sso, w.sharedKey, w.login} {
		if err := source(v); err != nil || w.source.Kind != "" {
			return "", false, err
		}
	}
	if next := w.process(v); next != "" || w.source.Kind != "" {
		return next, next != "", nil
	}
	return "", false, w.static(v)
}

// process takes the profile's credential_process, or names the profile that
// it stands for.
func (w *walker) process(v *view) (alias string) {
	e := v.entry("credential_process")
	if e.text == "" {
		return ""
	}
	name, plain, self := w.selfProfile(e.text)
	switch {
	case self && name == v.name: // what `configure` wrote, and no source
	case self && plain:
		return name
	default:
		w.setSource(v, SourceProcess)
		w.source.Process = w.obey(v, "credential_process", e)
	}
	return ""
}

// alias is the profile for which this one only calls this tool. A line that
// asks for more than that profile's credentials is run like any other.
func (w *walker) alias(v *view) string {
	if name, plain, _ := w.selfProfile(v.get("credential_process")); plain && name != v.name {
		return name
	}
	return ""
}

func (w *walker) selfProfile(line string) (name string, plain, ok bool) {
	if w.options.SelfProfile == nil || line == "" {
		return "", false, false
	}
	return w.options.SelfProfile(line)
}

func (w *walker) setSource(v *view, kind SourceKind) {
	w.source = Source{Kind: kind, Profile: v.name, Region: v.get("region")}
}

// credentialSource takes the source that credential_source names.
func (w *walker) credentialSource(v *view) error {
	name := v.get("credential_source")
	for _, kind := range []SourceKind{SourceEnvironment, SourceEC2, SourceECS} {
		if name == string(kind) {
			w.setSource(v, kind)
			w.source.LongLived = kind == SourceEnvironment && w.env("AWS_ACCESS_KEY_ID") != "" && w.env("AWS_SESSION_TOKEN") == ""
			return nil
		}
	}
	err := v.errorf("credential_source", ErrMalformed, "credential_source %q is unknown", name)
	err.Remedy = "write Environment, Ec2InstanceMetadata or EcsContainer"
	return err
}

// sharedKey takes plaintext keys if they stand in the credentials file.
func (w *walker) sharedKey(v *view) error {
	if at := v.bodies[0].values["aws_access_key_id"]; at.file == nil || !at.file.credentials {
		return nil
	}
	return w.static(v)
}

// static takes plaintext keys of the profile's own sections.
func (w *walker) static(v *view) error {
	id, secret := v.own("aws_access_key_id"), v.own("aws_secret_access_key")
	switch {
	case id == "" && secret == "", v.own(ExportedKey) != "": // what groat exported is a result, no source
		return nil
	case secret == "":
		return v.errorf("aws_access_key_id", ErrMalformed, "profile %q has aws_access_key_id without aws_secret_access_key", v.name)
	case id == "":
		return v.errorf("aws_secret_access_key", ErrMalformed, "profile %q has aws_secret_access_key without aws_access_key_id", v.name)
	}
	token := v.own("aws_session_token")
	if token == "" {
		token = v.own("aws_security_token")
	}
	w.setSource(v, SourceStatic)
	file := v.entry("aws_access_key_id").file
	w.source.Static = &StaticKey{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token, File: file.path, Shared: file.credentials}
	return nil
}

// sso takes IAM Identity Center when the profile names an account or a
// permission set, by an sso-session or by the legacy keys.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
func (w *walker) sso(v *view) error {
	if v.get("sso_account_id") == "" && v.get("sso_role_name") == "" {
		return nil
	}
	get := v.get
	session := v.get("sso_session")
	if session != "" {
		b := w.config.body(sectionSSOSession, session)
		if !b.exists {
			return v.errorf("sso_session", ErrMalformed, "profile %q names sso-session %q, which does not exist", v.name, session)
		}
		if len(b.problems) > 0 {
			return b.problems[0]
		}
		for key, e := range b.values {
			if own := v.get(key); own != "" && own != e.text && strings.HasPrefix(key, "sso_") {
				return v.errorf(key, ErrMalformed, "%s differs between profile %q (%s) and its sso-session (%s)", key, v.name, own, e.text)
			}
		}
		get = func(key string) string { return firstOf(v.get(key), b.get(key)) }
	}
	var missing []string
	for _, key := range []string{"sso_start_url", "sso_region", "sso_account_id", "sso_role_name"} {
		if get(key) == "" {
			missing = append(missing, key)
		}
	}
	if len(missing) > 0 {
		return v.errorf("sso_account_id", ErrMalformed, "profile %q lacks %s for IAM Identity Center", v.name, strings.Join(missing, ", "))
	}
	w.obey(v, "sso_start_url", w.startURL(v))
	w.setSource(v, SourceSSO)
	w.source.SSO = &SSO{
		Session: session, StartURL: get("sso_start_url"), Region: get("sso_region"),
		RegistrationScopes: splitList(get("sso_registration_scopes")),
		AccountID:          get("sso_account_id"), RoleName: get("sso_role_name"),
	}
	return nil
}

// login takes AWS Sign-In, where the profile says who signs in.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html
func (w *walker) login(v *view) error {
	arn := v.get("login_session")
	switch parts := strings.SplitN(arn, ":", 6); {
	case arn == "":
		return nil
	case len(parts) < 6 || partitionOfARN(arn) == "" || len(parts[4]) != 12 || parts[5] == "":
		return v.errorf("login_session", ErrMalformed, "login_session %q is not the ARN of a user or of an assumed role", arn)
	}
	w.setSource(v, SourceLogin)
	w.source.LoginSession = arn
	return nil
}

// startURL is the line that names a profile's sign-in portal: its own, else
// that of its sso-session, which says the same where both do.
func (w *walker) startURL(v *view) entry {
	e := v.entry("sso_start_url")
	if session := v.get("sso_session"); session != "" && e.text == "" {
		e = w.config.body(sectionSSOSession, session).values["sso_start_url"]
	}
	return e
}

// webIdentity takes AssumeRoleWithWebIdentity: the role is part of it.
func (w *walker) webIdentity(v *view) error {
	wi := &WebIdentity{
		RoleARN: v.get("role_arn"), SessionName: v.get("role_session_name"),
		TokenFile: v.get("web_identity_token_file"), TokenProcess: v.get("web_identity_token_process"),
	}
	key := "web_identity_token_file"
	if wi.TokenFile == "" {
		key = "web_identity_token_process"
	} else {
		wi.TokenProcess = "" // the file wins, as in aws-vault
	}
	if wi.RoleARN == "" {
		return v.errorf(key, ErrMalformed, "profile %q has %s without role_arn", v.name, key)
	}
	if !isRoleARN(wi.RoleARN) {
		return v.errorf("role_arn", ErrMalformed, "role_arn %q is not the ARN of a role", wi.RoleARN)
	}
	w.obey(v, key, v.entry(key))
	w.setSource(v, SourceWebIdentity)
	w.source.WebIdentity = wi
	return nil
}

// EnvironmentProfile is the name under which a web identity that only the
// environment describes is shown and cached. No section can have it.
const EnvironmentProfile = "[environment]"

// NamesWebIdentity reports whether the environment describes a web identity
// by itself: AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN count together only.
func NamesWebIdentity(getenv func(string) string) bool {
	return getenv("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && getenv("AWS_ROLE_ARN") != ""
}

// ResolveEnvironmentWebIdentity resolves the web identity of
// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, with AWS_ROLE_SESSION_NAME
// if set. The caller only asks when no profile was named: a stray
// AWS_ROLE_ARN must never change a profile's identity.
func ResolveEnvironmentWebIdentity(o ResolveOptions) (*Resolved, error) {
	w := &walker{config: &Config{bodies: make(map[string]*body)}, options: o}
	arn := w.env("AWS_ROLE_ARN")
	if !isRoleARN(arn) {
		return nil, &Error{Err: fault.New(fmt.Sprintf("AWS_ROLE_ARN %q is not the ARN of a role", arn), "", ErrMalformed)}
	}
	v := &view{name: EnvironmentProfile, bodies: []*body{{exists: true, values: map[string]entry{
		"role_arn":                {text: arn},
		"web_identity_token_file": {text: w.env("AWS_WEB_IDENTITY_TOKEN_FILE")},
		"role_session_name":       {text: w.env("AWS_ROLE_SESSION_NAME")},
	}}}}
	w.views = append(w.views, v)
	if err := w.webIdentity(v); err != nil {
		return nil, err
	}
	return w.resolved()
}

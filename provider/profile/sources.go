package profile

import (
	"fmt"
	"strings"
)

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
	w.setSource(v, SourceSSO)
	w.source.SSO = &SSO{
		Session: session, StartURL: get("sso_start_url"), Region: get("sso_region"),
		RegistrationScopes: splitList(get("sso_registration_scopes")),
		AccountID:          get("sso_account_id"), RoleName: get("sso_role_name"),
	}
	return nil
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
		return v.errorf("role_arn", ErrMalformed, "role_arn %q is no ARN of a role", wi.RoleARN)
	}
	var err error
	if wi.Policy, wi.PolicyARNs, err = sessionPolicy(v); err != nil {
		return err
	}
	w.setSource(v, SourceWebIdentity)
	w.source.WebIdentity = wi
	if wi.TokenProcess != "" {
		w.source.ProcessFile = v.entry(key).file.path
	}
	return nil
}

// EnvironmentProfile is the name under which a web identity that only the
// environment describes is shown and cached. No section can have it.
const EnvironmentProfile = "[environment]"

// ResolveEnvironmentWebIdentity resolves the web identity of
// AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, with AWS_ROLE_SESSION_NAME
// if set. Only both together count, and the caller only asks when no profile
// was named: a stray AWS_ROLE_ARN must never change a profile's identity.
func ResolveEnvironmentWebIdentity(getenv func(string) string) (*Resolved, bool, error) {
	tokenFile, arn := getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), getenv("AWS_ROLE_ARN")
	if tokenFile == "" || arn == "" {
		return nil, false, nil
	}
	if !isRoleARN(arn) {
		return nil, true, &Error{Err: fmt.Errorf("%w: AWS_ROLE_ARN %q is no ARN of a role", ErrMalformed, clean(arn))}
	}
	region := firstOf(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))
	return &Resolved{
		Name: EnvironmentProfile, Profile: EnvironmentProfile, Region: region, Chain: []string{EnvironmentProfile},
		Source: Source{
			Kind: SourceWebIdentity, Profile: EnvironmentProfile, Region: region,
			WebIdentity: &WebIdentity{RoleARN: arn, SessionName: getenv("AWS_ROLE_SESSION_NAME"), TokenFile: tokenFile},
			Endpoints:   environmentEndpoints(getenv),
		},
	}, true, nil
}

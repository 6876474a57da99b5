package provider

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"groat/session"
	"groat/vault/files"
)

// MaxSkew is the difference of clocks that AWS tolerates (SigV4: 5 min); a
// second counts as much as its Date header is coarse.
const MaxSkew = 5*time.Minute - 2*time.Second

// refusal is what is known of a call besides AWS's answer to it.
type refusal struct {
	plan   *Plan // nil for calls outside a plan
	step   int
	creds  session.Credentials // that signed it; its secrets are never shown
	region string
}

// explain adds to a refusal what the user can do about it. AWS's own words
// are made not to tell; the plan knows more.
func explain(err error, about refusal) error {
	var e *CallError
	if !errors.As(err, &e) || e.Remedy != "" || !errors.Is(e, ErrRefused) {
		return err
	}
	e.Remedy = about.remedy(e)
	return err
}

func (f refusal) remedy(e *CallError) string {
	message := strings.ToLower(e.Message)
	switch e.Code {
	case "SignatureDoesNotMatch", "InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed":
		return f.signature(e, message)
	case "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId":
		return f.unknownKey(e)
	case "ExpiredToken", "ExpiredTokenException":
		switch {
		case f.creds.AccessKeyID == "":
			return "the identity token has expired: get a new one"
		case f.creds.SessionToken == "":
			return fmt.Sprintf("access key %s was valid for a limited time and has expired: `groat add %s --overwrite` stores a new one", f.creds.AccessKeyID, files.Word(f.keyProfile(e)))
		}
		return fmt.Sprintf("the credentials that signed the call have expired: `groat clear %s`, and check this machine's clock", files.Word(e.Profile))
	case "AccessDenied", "AccessDeniedException":
		return f.denied(e, message)
	case "ValidationError", "InvalidParameterValue":
		return f.invalid(message)
	case "InvalidIdentityToken", "IDPRejectedClaim", "IDPCommunicationError":
		return "the account needs an identity provider for the token's issuer, with the token's audience; the token must be an ID token"
	case "MalformedPolicyDocument", "PackedPolicyTooLarge", "PackedPolicyTooLargeException":
		return fmt.Sprintf("shorten or correct the session policy (--policy, --policy-arn; policy, policy_arns and session_tags of profile %q)", e.Profile)
	case "InsufficientSessionLifetime", "InsufficientSessionLifetimeException":
		return fmt.Sprintf("the session has less time left than was asked for: ask for less (--duration), or begin a new one with `groat clear %s`", files.Word(e.Profile))
	case "InvalidSubjectCredentials", "InvalidSubjectCredentialsException":
		return "AWS narrows only temporary credentials, and the same ones at most three times: begin with credentials that were not narrowed yet"
	case "InvalidAction":
		if e.Operation == "sts:GetScopedCredentials" {
			return fmt.Sprintf("the STS endpoint of %s does not offer it: narrow a role instead, or set another region", f.region)
		}
	case "RegionDisabledException":
		return fmt.Sprintf("STS is not activated in %s for this account: set another region, or sts_regional_endpoints = legacy", f.region)
	case "OptInRequired":
		return fmt.Sprintf("region %s is not enabled for this account: set another region", f.region)
	}
	return ""
}

// signature explains a signature that AWS did not take: a wrong clock, else a
// wrong secret.
func (f refusal) signature(e *CallError, message string) string {
	if e.Skew.Abs() >= MaxSkew || strings.Contains(message, "signature expired") || strings.Contains(message, "not yet current") {
		direction := "behind"
		if e.Skew < 0 {
			direction = "ahead of"
		}
		if seconds := int64(e.Skew.Abs().Seconds()); seconds > 0 {
			return fmt.Sprintf("this machine's clock is %d s %s AWS's, which tolerates 300 s: set the clock right", seconds, direction)
		}
		return "this machine's clock is wrong by more than the 300 s that AWS tolerates: set the clock right"
	}
	if f.creds.SessionToken == "" {
		return fmt.Sprintf("the secret access key does not belong to %s: store the pair again with `groat add %s --overwrite`", f.creds.AccessKeyID, files.Word(f.keyProfile(e)))
	}
	return ""
}

// unknownKey explains an access key ID that AWS does not know.
func (f refusal) unknownKey(e *CallError) string {
	if f.creds.SessionToken != "" {
		if strings.HasPrefix(e.Operation, "iam:") {
			return f.needsMFASession(e)
		}
		return fmt.Sprintf("AWS no longer knows this session, as its key was deleted or its device changed: `groat clear %s`", files.Word(e.Profile))
	}
	return fmt.Sprintf("access key %s was deleted or deactivated, or belongs to another partition than region %s: `groat add %s --overwrite` stores a new one",
		f.creds.AccessKeyID, f.region, files.Word(f.keyProfile(e)))
}

// needsMFASession explains IAM's answer to a session without MFA, which does
// not mention MFA at all.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
func (f refusal) needsMFASession(e *CallError) string {
	return fmt.Sprintf("IAM takes a session only if it was begun with a token code: add `mfa_serial = %s` to [profile %s], or use --no-session",
		f.serialGuess(), f.keyProfile(e))
}

// denied explains AccessDenied, whose message never says which condition of
// a trust policy was not met.
func (f refusal) denied(e *CallError, message string) string {
	switch {
	case isRefusedCode(e):
		return fmt.Sprintf("wait for the device's next code; if codes are refused again and again, the device's clock is off (`groat mfa resync %s`) or it is not the device of this serial", files.Word(e.Profile))
	case strings.Contains(message, "unable to validate mfa code"):
		return fmt.Sprintf("the serial does not belong to this user: compare mfa_serial of profile %q with what `groat mfa list` shows", e.Profile)
	case strings.Contains(message, "with session credentials"):
		return fmt.Sprintf("the key stored for profile %q is not a long-lived one: store one that begins with AKIA (`groat add %s --overwrite`)", f.keyProfile(e), files.Word(f.keyProfile(e)))
	case strings.Contains(message, "root account"):
		return "the root user cannot assume roles: store an IAM user's key"
	case strings.Contains(message, "sts:tagsession"):
		return fmt.Sprintf("the role's trust policy and the caller's policy must allow sts:TagSession, or take session_tags out of profile %q", e.Profile)
	case strings.Contains(message, "sts:setsourceidentity"):
		return fmt.Sprintf("the role's trust policy and the caller's policy must allow sts:SetSourceIdentity, or take source_identity out of profile %q", e.Profile)
	case e.Operation == "sts:GetScopedCredentials":
		return "the policies of the user or role must allow sts:GetScopedCredentials"
	case e.Operation == "sts:AssumeRole":
		return f.deniedRole(e)
	case e.Operation == "sts:AssumeRoleWithWebIdentity":
		return "the role's trust policy must allow sts:AssumeRoleWithWebIdentity to the token's issuer, audience and subject"
	case f.creds.SessionToken == "" && strings.HasPrefix(e.Operation, "iam:") && strings.Contains(message, "explicit deny"):
		return fmt.Sprintf("if a policy demands MFA, the user needs an MFA device: `groat mfa list %[1]s` shows what there is, `groat mfa enroll %[1]s` sets one up", files.Word(e.Profile))
	case strings.HasPrefix(e.Operation, "iam:"):
		return "an administrator must allow it: `groat policy --help` names documents that do"
	}
	return ""
}

// deniedRole lists what the call did not bring and a trust policy may want.
func (f refusal) deniedRole(e *CallError) string {
	if f.plan == nil {
		return ""
	}
	role := f.plan.Steps[f.step].Role
	var hints []string
	if !f.hasMFA() && sourceOf(f.plan.Source.Kind).user {
		hints = append(hints, fmt.Sprintf("profile %q has no mfa_serial: if its trust policy wants MFA, add `mfa_serial = %s` to [profile %s]",
			e.Profile, f.serialGuess(), e.Profile))
	}
	if role.ExternalID == "" {
		hints = append(hints, fmt.Sprintf("if it wants an external ID, add `external_id = …` to [profile %s]", e.Profile))
	} else {
		hints = append(hints, "external_id must be the one in its trust policy")
	}
	if f.step > 0 && f.plan.Steps[f.step-1].Operation == OpAssumeRole {
		hints = append(hints, fmt.Sprintf("its trust policy must name %s, and that role must be allowed sts:AssumeRole; MFA does not pass through a chain of roles", f.plan.Steps[f.step-1].Role.RoleARN))
	} else {
		hints = append(hints, "its trust policy must name the caller, and the caller's policy must allow sts:AssumeRole on it")
	}
	return strings.Join(hints, "; ")
}

// invalid explains parameters that AWS refused.
func (f refusal) invalid(message string) string {
	switch {
	case strings.Contains(message, "maxsessionduration"):
		asked := ""
		name := "the role"
		if f.plan != nil {
			asked = ShortDuration(f.plan.Steps[f.step].Duration)
			name = cmp.Or(f.plan.roleARN(f.step), name)
		}
		return fmt.Sprintf("%s was asked for, and the maximum session duration of %s is lower: ask for less (--assume-role-ttl, duration_seconds), or raise the role's maximum", asked, name)
	case strings.Contains(message, "role chaining"):
		return "AWS grants at most 1h to a role assumed from a session or another role: ask for 1h or less (--assume-role-ttl, duration_seconds)"
	case strings.Contains(message, "serialnumber"):
		return "mfa_serial is not the ARN of a virtual MFA device nor a hardware serial number"
	}
	return ""
}

// hasMFA reports whether this step or one before it carried a code.
func (f refusal) hasMFA() bool {
	for i := 0; i <= f.step; i++ {
		if f.plan.Steps[i].MFASerial != "" {
			return true
		}
	}
	return false
}

// serialGuess is the serial to write: as a rule, a virtual device has its
// user's name.
func (f refusal) serialGuess() string {
	part, account, user := defaultPartition, "ACCOUNT", "USER"
	if f.plan != nil {
		if p := f.plan.Steps[f.step].Partition; p != "" {
			part = p
		}
		if c := f.plan.Card; c != nil {
			if c.MFASerial != "" {
				return c.MFASerial
			}
			if c.Account != "" {
				account = c.Account
			}
			if c.UserName != "" {
				user = c.UserName
			}
		}
	}
	return "arn:" + part + ":iam::" + account + ":mfa/" + user
}

func (f refusal) keyProfile(e *CallError) string {
	if f.plan != nil && f.plan.Source.Profile != "" {
		return f.plan.Source.Profile
	}
	return e.Profile
}

// isRefusedCode reports whether AWS refused the token code itself: wrong,
// too old, or used before.
func isRefusedCode(e *CallError) bool {
	return (e.Code == "AccessDenied" || e.Code == "AccessDeniedException") &&
		strings.Contains(strings.ToLower(e.Message), "invalid mfa one time pass code")
}

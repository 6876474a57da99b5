package iam

import (
	"strconv"
	"time"
)

// PolicyOptions say for whom a document is written.
type PolicyOptions struct {
	Partition string        // aws, aws-cn, …
	Account   string        // twelve digits, or "*" for any
	MaxAge    time.Duration // since the token code was given, whole seconds; 0: any age will do
	Now       time.Time     // of RevokeSessions
}

func (o PolicyOptions) arn(resource string) string {
	return "arn:" + o.Partition + ":iam::" + o.Account + ":" + resource
}

// self is the user who makes the call, with a path or without: a name is
// unique in its account whatever its path.
func (o PolicyOptions) self() []string {
	return []string{o.arn("user/${aws:username}"), o.arn("user/*/${aws:username}")}
}

// deviceNames are how many virtual devices AWS lets a user have.
const deviceNames = 8

// own are a user's devices by name: the user's own, then "-2" to "-8".
func (o PolicyOptions) ownDevices() []string {
	names := []string{o.arn("mfa/${aws:username}")}
	for n := 2; n <= deviceNames; n++ {
		names = append(names, o.arn("mfa/${aws:username}-"+strconv.Itoa(n)))
	}
	return names
}

// withoutMFA is what somebody needs who has no device yet: to enrol one, to
// begin a session with it, and to change a password that has to be changed.
var withoutMFA = []string{
	"iam:ChangePassword",
	"iam:CreateVirtualMFADevice",
	"iam:EnableMFADevice",
	"iam:GetAccountPasswordPolicy",
	"iam:GetMFADevice",
	"iam:GetUser",
	"iam:ListMFADevices",
	"iam:ListVirtualMFADevices",
	"iam:ResyncMFADevice",
	"sts:GetSessionToken",
}

// RequireMFA denies everything but enrolment to users whose call was not made
// with MFA, or with one older than MaxAge. It belongs on users and groups: a
// role session carries no MFA keys and would be denied everything.
//
// Long-lived keys carry no MFA keys at all, hence BoolIfExists; nor do the
// calls that AWS services make with a user's rights, which are let through:
// the call that set the service going was judged.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
func RequireMFA(o PolicyOptions) Document {
	statements := []Statement{{
		Sid: "DenyAllButEnrolmentWithoutMFA", Effect: "Deny", NotAction: withoutMFA, Resource: []string{"*"},
		Condition: map[string]map[string]string{
			"BoolIfExists": {"aws:MultiFactorAuthPresent": "false", "aws:ViaAWSService": "false"},
		},
	}}
	if o.MaxAge > 0 {
		statements = append(statements, Statement{
			Sid: "DenyAllButEnrolmentWithOldMFA", Effect: "Deny", NotAction: withoutMFA, Resource: []string{"*"},
			Condition: map[string]map[string]string{
				"NumericGreaterThan": {"aws:MultiFactorAuthAge": o.seconds()},
				"BoolIfExists":       {"aws:ViaAWSService": "false"},
			},
		})
	}
	return Document{policyVersion, statements}
}

func (o PolicyOptions) seconds() string { return strconv.Itoa(int(o.MaxAge / time.Second)) }

// SelfService lets users see to their own password, access keys and virtual
// MFA devices, and to nobody else's. To take a device away wants MFA: whoever
// finds a key must not be able to take the second factor off.
func SelfService(o PolicyOptions) Document {
	return Document{policyVersion, []Statement{
		{
			Sid: "SeeTheAccount", Effect: "Allow", Resource: []string{"*"},
			Action: []string{"iam:GetAccountPasswordPolicy", "iam:GetAccountSummary", "iam:ListAccountAliases", "iam:ListVirtualMFADevices"},
		},
		{
			Sid: "OwnPasswordAndKeys", Effect: "Allow", Resource: o.self(),
			Action: append([]string{"iam:ChangePassword", "iam:GetLoginProfile", "iam:GetUser"}, ownKeyActions...),
		},
		{
			Sid: "OwnDevices", Effect: "Allow", Resource: o.self(),
			Action: []string{"iam:EnableMFADevice", "iam:GetMFADevice", "iam:ListMFADevices", "iam:ResyncMFADevice"},
		},
		{
			Sid: "DevicesNamedAfterTheUser", Effect: "Allow", Resource: o.ownDevices(),
			Action: []string{"iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"},
		},
		{
			Sid: "TakeOwnDevicesAwayWithMFA", Effect: "Allow", Resource: o.self(),
			Action:    []string{"iam:DeactivateMFADevice"},
			Condition: map[string]map[string]string{"Bool": {"aws:MultiFactorAuthPresent": "true"}},
		},
	}}
}

var ownKeyActions = []string{
	"iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:UpdateAccessKey",
}

// RotateOwnKey is what `rotate` needs and no more, for users that are programs.
func RotateOwnKey(o PolicyOptions) Document {
	return Document{policyVersion, []Statement{{Sid: "RotateOwnKey", Effect: "Allow", Action: ownKeyActions, Resource: o.self()}}}
}

// AssumeRoleTrust is the trust policy of a role for users of the account who
// have given a token code, at most MaxAge ago. Which of them may assume it is
// for their own policies to say.
func AssumeRoleTrust(o PolicyOptions) Document {
	condition := map[string]map[string]string{"Bool": {"aws:MultiFactorAuthPresent": "true"}}
	if o.MaxAge > 0 {
		condition["NumericLessThanEquals"] = map[string]string{"aws:MultiFactorAuthAge": o.seconds()}
	}
	return Document{policyVersion, []Statement{{
		Sid: "UsersOfTheAccountWithMFA", Effect: "Allow", Principal: map[string]string{"AWS": o.arn("root")},
		Action: []string{"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"}, Condition: condition,
	}}}
}

// RevokeSessions denies everything to sessions that began before Now. Keys
// themselves carry no aws:TokenIssueTime, so that they are not concerned.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
func RevokeSessions(o PolicyOptions) Document {
	return Document{policyVersion, []Statement{{
		Sid: "DenySessionsFromBefore", Effect: "Deny", Action: []string{"*"}, Resource: []string{"*"},
		Condition: map[string]map[string]string{"DateLessThan": {"aws:TokenIssueTime": o.Now.UTC().Format(time.RFC3339)}},
	}}}
}

// AllowSignIn is what a user or a role needs to sign in from a command line.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SignInLocalDevelopmentAccess.html
func AllowSignIn(o PolicyOptions) Document {
	return Document{policyVersion, []Statement{{
		Sid: "SignInFromTheCommandLine", Effect: "Allow",
		Action:   []string{"signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token"},
		Resource: []string{"arn:" + o.Partition + ":signin:*:" + o.Account + ":oauth2/public-client/*"},
	}}}
}

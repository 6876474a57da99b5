package iam

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// promised skips the test unless GROAT_TEST_CLIENTS names the program: then a
// missing one is a failure.
func promised(t *testing.T, client string) {
	t.Helper()
	list := strings.FieldsFunc(os.Getenv("GROAT_TEST_CLIENTS"), func(r rune) bool { return r == ',' || r == ' ' })
	if !slices.Contains(list, client) && !slices.Contains(list, "all") {
		t.Skipf("GROAT_TEST_CLIENTS does not name %s", client)
	}
}

const account = "123456789012"

var (
	options   = PolicyOptions{Partition: "aws", Account: account, MaxAge: 8 * time.Hour, Now: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	documents = map[string]func(PolicyOptions) Document{
		"require-mfa": RequireMFA, "self-service": SelfService, "assume-role-trust": AssumeRoleTrust,
		"rotate-own-key": RotateOwnKey, "revoke-sessions": RevokeSessions, "allow-signin": AllowSignIn,
	}
)

// simulation is one request as the simulator takes it.
type simulation struct {
	Request          simRequest  `json:"request"`
	IdentityPolicies []simPolicy `json:"identityPolicies"`
	ResourcePolicy   *Document   `json:"resourcePolicy,omitempty"`
}

type simRequest struct {
	Principal        string            `json:"principal"`
	Action           string            `json:"action"`
	Resource         simResource       `json:"resource"`
	ContextVariables map[string]string `json:"contextVariables"`
}

type simResource struct {
	Resource  string `json:"resource"`
	AccountID string `json:"accountId"`
}

type simPolicy struct {
	Name   string   `json:"name"`
	Policy Document `json:"policy"`
}

func allow(resource string, actions ...string) Document {
	return Document{policyVersion, []Statement{{Effect: "Allow", Action: actions, Resource: []string{resource}}}}
}

// The kinds of a call: with the bare key, by sessions without MFA, with it and
// with one that is too old, by a service for the user, and by a role session,
// which carries no MFA keys.
const (
	byKey     = "key"
	byPlain   = "session without MFA"
	byMFA     = "session with MFA"
	byOldMFA  = "session with MFA of 9 hours ago"
	byService = "service on the user's behalf"
)

func callContext(user, kind string) map[string]string {
	c := map[string]string{"aws:username": user, "aws:ViaAWSService": "false"}
	switch kind {
	case byPlain:
		c["aws:MultiFactorAuthPresent"], c["aws:TokenIssueTime"] = "false", "2026-11-28T11:59:00Z"
	case byMFA:
		c["aws:MultiFactorAuthPresent"], c["aws:MultiFactorAuthAge"], c["aws:TokenIssueTime"] = "true", "28800", "2026-11-28T12:01:00Z"
	case byOldMFA:
		c["aws:MultiFactorAuthPresent"], c["aws:MultiFactorAuthAge"], c["aws:TokenIssueTime"] = "true", "32400", "2026-11-28T03:00:00Z"
	case byService:
		c["aws:ViaAWSService"] = "true"
	}
	return c
}

// policyCase is one row: a call and whether the policies allow it.
type policyCase struct {
	by       string
	user     string // "alice" when empty; "role/NAME" for a role session
	action   string
	resource string // "user/alice", "mfa/alice", …; else whole
	trust    *Document
	want     bool
}

// The users, groups and roles of a company with three jobs: everybody is in
// the group of humans (self-service, require-mfa), each may assume the role of
// the job, and the bots may rotate their own key and nothing else.
func policyCases() []policyCase {
	trust := AssumeRoleTrust(options)
	sales, boss := "role/sales", "role/boss"
	bucket := "arn:aws:s3:::company/report"
	var rows []policyCase
	add := func(by, action, resource string, want bool) {
		rows = append(rows, policyCase{by: by, action: action, resource: resource, want: want})
	}
	// require-mfa: nothing but enrolment without MFA, and nothing on an old one.
	for _, by := range []string{byKey, byPlain, byOldMFA} {
		add(by, "s3:GetObject", bucket, false)
		add(by, "iam:CreateAccessKey", "user/alice", false)
		add(by, "iam:DeactivateMFADevice", "user/alice", false)
		add(by, "iam:DeleteVirtualMFADevice", "mfa/alice", false)
		for _, action := range []string{"iam:EnableMFADevice", "iam:ResyncMFADevice", "iam:ListMFADevices", "iam:GetUser", "iam:ChangePassword"} {
			add(by, action, "user/alice", true)
		}
		add(by, "iam:CreateVirtualMFADevice", "mfa/alice", true)
		add(by, "iam:ListVirtualMFADevices", "*", true)
	}
	add(byKey, "sts:GetSessionToken", "*", true)
	add(byMFA, "s3:GetObject", bucket, true)
	add(byService, "s3:GetObject", bucket, true)
	add(byService, "sqs:SendMessage", "arn:aws:sqs:eu-west-1:123456789012:queue", true)
	// self-service: one's own, and nobody else's.
	for _, action := range []string{"iam:ChangePassword", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys",
		"iam:GetAccessKeyLastUsed", "iam:EnableMFADevice", "iam:DeactivateMFADevice", "iam:ResyncMFADevice", "iam:ListMFADevices", "iam:GetUser"} {
		add(byMFA, action, "user/alice", true)
		add(byMFA, action, "user/humans/eu/alice", true)
		add(byMFA, action, "user/bob", false)
		add(byMFA, action, "user/alice2", false)
	}
	for _, device := range []string{"mfa/alice", "mfa/alice-2", "mfa/alice-8"} {
		add(byMFA, "iam:CreateVirtualMFADevice", device, true)
		add(byMFA, "iam:DeleteVirtualMFADevice", device, true)
	}
	for _, device := range []string{"mfa/bob", "mfa/alice-9", "mfa/alice-", "mfa/alice2", "mfa/team/alice"} {
		add(byMFA, "iam:CreateVirtualMFADevice", device, false)
		add(byMFA, "iam:DeleteVirtualMFADevice", device, false)
	}
	for _, action := range []string{"iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:DeleteUser", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"} {
		add(byMFA, action, "user/alice", false)
	}
	// Roles: the job's own, with MFA that is young enough, on both sides.
	for _, r := range []struct {
		user, role, by string
		want           bool
	}{
		{"alice", sales, byMFA, true}, {"alice", sales, byKey, false}, {"alice", sales, byPlain, false}, {"alice", sales, byOldMFA, false},
		{"alice", boss, byMFA, false}, {"carol", boss, byMFA, true}, {"carol", boss, byKey, false}, {"bot", sales, byKey, false}, {"bot", sales, byMFA, false},
	} {
		rows = append(rows, policyCase{by: r.by, user: r.user, action: "sts:AssumeRole", resource: r.role, trust: &trust, want: r.want})
	}
	// What a role session may do is for the role: require-mfa is not on it.
	rows = append(rows, policyCase{by: byPlain, user: "role/sales", action: "s3:GetObject", resource: bucket, want: true})
	// Bots: their own key, no device, no password.
	for action, want := range map[string]bool{"iam:CreateAccessKey": true, "iam:DeleteAccessKey": true, "iam:UpdateAccessKey": true, "iam:ListAccessKeys": true,
		"iam:GetAccessKeyLastUsed": true, "iam:ChangePassword": false, "iam:EnableMFADevice": false, "iam:DeactivateMFADevice": false} {
		rows = append(rows,
			policyCase{by: byKey, user: "bot", action: action, resource: "user/bot", want: want},
			policyCase{by: byKey, user: "bot", action: action, resource: "user/alice", want: false})
	}
	// revoke-sessions ends those from before, and no key.
	for by, want := range map[string]bool{byKey: true, byPlain: false, byMFA: true, byOldMFA: false} {
		rows = append(rows, policyCase{by: by, user: "revoked", action: "s3:GetObject", resource: bucket, want: want})
	}
	client := "arn:aws:signin:us-east-1:123456789012:oauth2/public-client/localhost"
	for _, action := range []string{"signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token"} {
		rows = append(rows, policyCase{by: byMFA, user: "signer", action: action, resource: client, want: true},
			policyCase{by: byMFA, user: "bot", action: action, resource: client, want: false})
	}
	return rows
}

// policiesOf are the policies on the users of those rows. (GetSessionToken
// wants no permission; the simulator does not know.)
func policiesOf(user string) []Document {
	o := options
	humans := []Document{RequireMFA(o), SelfService(o), allow("arn:aws:s3:::company/*", "s3:GetObject"), allow("*", "sqs:SendMessage", "sts:GetSessionToken")}
	switch user {
	case "bot":
		return []Document{RotateOwnKey(o)}
	case "revoked":
		return []Document{RevokeSessions(o), allow("*", "*")}
	case "signer":
		return []Document{AllowSignIn(o)}
	case "role/sales":
		return []Document{allow("arn:aws:s3:::company/*", "s3:GetObject")}
	case "carol":
		return append(humans, allow("arn:aws:iam::"+account+":role/boss", "sts:AssumeRole"))
	}
	return append(humans, allow("arn:aws:iam::"+account+":role/sales", "sts:AssumeRole"))
}

func (c policyCase) simulation() simulation {
	user := c.user
	if user == "" {
		user = "alice"
	}
	principal, s := "arn:aws:iam::"+account+":user/"+user, simulation{ResourcePolicy: c.trust}
	if strings.HasPrefix(user, "role/") {
		principal = "arn:aws:sts::" + account + ":assumed-" + user + "/alice"
	}
	resource := c.resource
	if !strings.HasPrefix(resource, "arn:") && resource != "*" {
		resource = "arn:aws:iam::" + account + ":" + resource
	}
	s.Request = simRequest{principal, c.action, simResource{resource, account}, callContext(user, c.by)}
	if strings.HasPrefix(user, "role/") {
		delete(s.Request.ContextVariables, "aws:username")
		delete(s.Request.ContextVariables, "aws:MultiFactorAuthPresent")
	}
	for _, d := range policiesOf(user) {
		s.IdentityPolicies = append(s.IdentityPolicies, simPolicy{"p", d})
	}
	return s
}

// An evaluator of IAM policies judges each document as AWS would.
func TestPoliciesAsEvaluated(t *testing.T) {
	promised(t, "iam-simulate")
	rows := policyCases()
	var all []simulation
	for _, row := range rows {
		all = append(all, row.simulation())
	}
	in, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "node", "simulate.mjs")
	c.Dir, c.Stdin = filepath.Join("testdata", "simulate"), bytes.NewReader(in)
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("the simulator (task setup installs it): %v\n%s", err, stderr.String())
	}
	var answers []struct {
		Result string          `json:"result"`
		Errors json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(rows) {
		t.Fatalf("%d answers to %d requests: %v", len(answers), len(rows), err)
	}
	for i, row := range rows {
		a := answers[i]
		if a.Result == "" || len(a.Errors) > 0 {
			t.Errorf("%+v was not judged: %s", row, a.Errors)
		} else if (a.Result == "Allowed") != row.want {
			t.Errorf("%s by %s on %s with a %s: %s", row.action, row.user, row.resource, row.by, a.Result)
		}
	}
	t.Logf("%d rows", len(rows))
}

// The documents fit AWS's limits, in every partition: 6,144 characters for a
// managed policy, 2,048 for an inline one of a user and for a trust policy.
func TestPolicySizes(t *testing.T) {
	limits := map[string]int{"assume-role-trust": 2048, "revoke-sessions": 2048, "require-mfa": 2048}
	for name, make := range documents {
		limit := limits[name]
		if limit == 0 {
			limit = 6144
		}
		o := options
		o.Partition = "aws-us-gov"
		if n := make(o).Size(); n > limit {
			t.Errorf("%s has %d characters of %d", name, n, limit)
		}
	}
}

// Terraform takes its form as its own, and CloudFormation's linter the other.
func TestPolicyForms(t *testing.T) {
	for name, make := range documents {
		d := make(options)
		t.Run("terraform/"+name, func(t *testing.T) {
			promised(t, "terraform")
			c := exec.CommandContext(t.Context(), "terraform", "fmt", "-check", "-diff", "-")
			c.Stdin = strings.NewReader(d.Terraform(name))
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			if strings.Contains(strings.ReplaceAll(d.Terraform(name), "$${", ""), "${") {
				t.Error("a variable of IAM is one of Terraform's")
			}
		})
		t.Run("cloudformation/"+name, func(t *testing.T) {
			promised(t, "cfn-lint")
			file := filepath.Join(t.TempDir(), "template.json")
			if err := os.WriteFile(file, []byte(d.CloudFormation(name)), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), "cfn-lint", file).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

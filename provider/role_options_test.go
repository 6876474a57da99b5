package provider_test

import (
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
)

// Everything that a profile can say about a role reaches AWS, which checks it.
func TestRoleOptionsReachAWS(t *testing.T) {
	w := newWorld(t)
	w.role("first", ststest.RoleOptions{ExternalID: "sesame/1", RequireSourceIdentity: true, RequireTags: []string{"Team", "Cost Center"}, RequireMFA: true})
	// The second role gets the source identity and the transitive tag from
	// the first, without its profile saying so.
	w.role("second", ststest.RoleOptions{RequireSourceIdentity: true, RequireTags: []string{"Team"}})
	w.config = "[default]\nmfa_serial = " + w.device.Serial + "\n[profile first]\nsource_profile = default\nrole_arn = " + roleARN("first") + `
external_id = sesame/1
source_identity = alice
session_tags = Team=blue, Cost Center=42
transitive_session_tags = Team
role_session_name = alice@example.com
policy = {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}
policy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess
[profile second]
source_profile = first
role_arn = ` + roleARN("second") + "\n"
	w.mustMint("second", provider.Options{})
	calls := w.srv.Calls()
	w.wantCalls(getSessionToken, assumeRole, assumeRole)
	if calls[1].SessionName != "alice@example.com" || calls[2].SessionName != "alice" {
		t.Errorf("session names %q and %q", calls[1].SessionName, calls[2].SessionName)
	}
}

// A chain of calls in every partition, with the ARNs of that partition.
func TestPartitionsEndToEnd(t *testing.T) {
	for partition, region := range map[string]string{
		"aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1", "aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1", "aws-eusc": "eusc-de-east-1",
	} {
		t.Run(partition, func(t *testing.T) {
			w := newWorld(t)
			w.srv = ststest.Start(t, ststest.Options{Partition: partition})
			w.env["AWS_ENDPOINT_URL"] = w.srv.URL
			w.user = w.srv.AddUser(account, "alice")
			w.key, w.device = w.user.AddAccessKey(), w.user.AddMFA()
			w.vault.put("default", w.key, provider.Card{Account: account, UserName: "alice"})
			w.prompt.device = w.device
			arn := "arn:" + partition + ":iam::" + account + ":role/admin"
			w.srv.AddRole(arn, ststest.RoleOptions{RequireMFA: true})
			// Nothing says which region: the ARNs do.
			w.config = "[default]\n[profile admin]\nsource_profile = default\nmfa_serial = " + w.device.Serial + "\nrole_arn = " + arn + "\n"
			creds := w.mustMint("admin", provider.Options{})
			for _, c := range w.srv.Calls() {
				if c.Region != region {
					t.Errorf("%s was signed for %s, want %s", c.Name(), c.Region, region)
				}
			}
			id, err := provider.CallerIdentity(t.Context(), provider.CallOptions{Endpoints: at(w.srv.URL), Region: region}, creds)
			if err != nil || !strings.HasPrefix(id.ARN, "arn:"+partition+":sts::") {
				t.Errorf("%s, %v", id.ARN, err)
			}
			// --role-arn in its short form means a role of that partition.
			p, err := w.tryPlan(w.resolve("admin", profile.ResolveOptions{RoleARN: account + ":admin", Region: region}), provider.Options{})
			if err != nil || p.Steps[len(p.Steps)-1].Role.RoleARN != arn {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// One session serves roles in any region, and every duration of it is its own.
func TestOneSessionServesRolesOfAnyRegion(t *testing.T) {
	w := mfaRoles(t)
	w.config = strings.Replace(w.config, "[profile admin]", "[profile admin]\nregion = ap-south-1", 1)
	w.mustMint("admin", provider.Options{})
	w.mustMint("readonly", provider.Options{})
	w.mustMint("readonly", provider.Options{AssumeRoleTTL: 20 * time.Minute})
	calls := w.srv.Calls()
	w.wantCalls(getSessionToken, assumeRole, assumeRole, assumeRole)
	w.wantPrompts(1)
	if calls[0].Region != "eu-west-1" || calls[1].Region != "ap-south-1" || calls[2].Region != "eu-west-1" {
		t.Errorf("regions %s, %s, %s", calls[0].Region, calls[1].Region, calls[2].Region)
	}
}

package provider_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
)

// planOf resolves and plans a profile of a configuration in which "default"
// holds alice's key.
func planOf(t *testing.T, config, name string, ro profile.ResolveOptions, o provider.Options) (*provider.Plan, error) {
	t.Helper()
	c, err := profile.Load(profile.LoadOptions{ConfigFile: "config", ReadFile: func(string) ([]byte, error) { return []byte(config), nil }})
	if err != nil {
		t.Fatal(err)
	}
	card := &provider.Card{Profile: "default", KeyID: "AKIA", Generation: "1", Account: account, UserName: "alice"}
	ro.HoldsKey = func(name string) (bool, error) { return name == "default", nil }
	if ro.Getenv == nil {
		ro.Getenv = func(string) string { return "" }
	}
	r, err := c.Resolve(name, ro)
	if err != nil {
		t.Fatal(err)
	}
	if r.Source.Kind != profile.SourceKey {
		card = nil
	}
	o.OSUser = `DOMAIN\os user`
	return provider.NewPlan(r, card, o)
}

func role(lines string) string {
	return "[default]\n[profile r]\nsource_profile = default\nrole_arn = " + roleARN("r") + "\n" + lines
}

func TestPlanDecides(t *testing.T) {
	const serial = "arn:aws:iam::123456789012:mfa/alice"
	for _, c := range []struct {
		name    string
		config  string
		profile string
		resolve profile.ResolveOptions
		options provider.Options
		want    string // describe's words
		warns   string
	}{
		{"duration_seconds above an hour goes straight", role("duration_seconds = 43200\nmfa_serial = " + serial), "r", profile.ResolveOptions{}, provider.Options{},
			"AssumeRole us-east-1 aws 12h0m0s MFA as alice", ""},
		{"the flag wins over duration_seconds", role("duration_seconds = 43200"), "r", profile.ResolveOptions{}, provider.Options{AssumeRoleTTL: 15 * time.Minute},
			"GetSessionToken us-east-1 aws 8h0m0s | AssumeRole us-east-1 aws 15m0s as alice", ""},
		{"a role on the way keeps its own duration", role("duration_seconds = 1800\n[profile s]\nsource_profile = r\nrole_arn = "+roleARN("s")) + "\n", "s", profile.ResolveOptions{}, provider.Options{AssumeRoleTTL: 2 * time.Hour},
			"GetSessionToken us-east-1 aws 8h0m0s | AssumeRole us-east-1 aws 30m0s as alice | AssumeRole us-east-1 aws 1h0m0s as alice", "at most 1h"},
		{"the session uses the region of the key's profile", "[default]\nregion = eu-west-1\n[profile r]\nregion = ap-south-1\nsource_profile = default\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken eu-west-1 aws 8h0m0s | AssumeRole ap-south-1 aws 1h0m0s as alice", ""},
		{"--region moves the role and not the session", "[default]\nregion = eu-west-1\n[profile r]\nsource_profile = default\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{Region: "us-west-2"}, provider.Options{},
			"GetSessionToken eu-west-1 aws 8h0m0s | AssumeRole us-west-2 aws 1h0m0s as alice", ""},
		{"the partition comes from the role without a region", strings.ReplaceAll(role(""), "arn:aws:", "arn:aws-us-gov:"), "r", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-gov-west-1 aws-us-gov 8h0m0s | AssumeRole us-gov-west-1 aws-us-gov 1h0m0s as alice", ""},
		{"the partition comes from the serial without role and region", "[default]\nmfa_serial = arn:aws-cn:iam::123456789012:mfa/alice", "default", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken cn-northwest-1 aws-cn 8h0m0s MFA", ""},
		{"the partition comes from AWS_REGION without anything else", "[default]\n", "default", profile.ResolveOptions{Getenv: env("AWS_REGION", "eusc-de-east-1")}, provider.Options{},
			"GetSessionToken eusc-de-east-1 aws-eusc 8h0m0s", ""},
		{"a role of another partition than its region is warned of", role("region = cn-north-1"), "r", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s | AssumeRole cn-north-1 aws-cn 1h0m0s as alice", "partition aws-cn but its role is in aws"},
		{"a chain across partitions is warned of", role("[profile s]\nsource_profile = r\nrole_arn = arn:aws-cn:iam::123456789012:role/s\n"), "s", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s | AssumeRole us-east-1 aws 1h0m0s as alice | AssumeRole cn-northwest-1 aws-cn 1h0m0s as alice", "credentials of partition aws are unknown"},
		{"a serial of another partition than the role is warned of", role("mfa_serial = arn:aws-us-gov:iam::123456789012:mfa/alice"), "r", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s MFA | AssumeRole us-east-1 aws 1h0m0s as alice", "credentials of partition aws-us-gov are unknown"},
		{"a session name is made acceptable, with a warning", role("role_session_name = Jürgen Müller/ops"), "r", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s | AssumeRole us-east-1 aws 1h0m0s as J-rgen-M-ller-ops", "role_session_name was changed"},
		{"--mfa-serial none", role("mfa_serial = " + serial), "r", profile.ResolveOptions{MFASerial: "none"}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s | AssumeRole us-east-1 aws 1h0m0s as alice", ""},
		{"a hardware token", "[default]\nmfa_serial = GAHT12345678\n", "default", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s MFA", ""},
		{"--role-arn replaces the role", role("mfa_serial = " + serial), "r", profile.ResolveOptions{RoleARN: account + ":other"}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s MFA | AssumeRole us-east-1 aws 1h0m0s as alice", ""},
		{"the longest session", "[default]\n", "default", profile.ResolveOptions{}, provider.Options{SessionTTL: 36 * time.Hour}, "GetSessionToken us-east-1 aws 36h0m0s", ""},
		{"a plaintext key is used like a stored one", "[profile p]\naws_access_key_id = AKIAP\naws_secret_access_key = s\n", "p", profile.ResolveOptions{}, provider.Options{},
			"GetSessionToken us-east-1 aws 8h0m0s", "`groat add p` stores it in the vault"},
		{"a plaintext session is used as it is", "[profile p]\naws_access_key_id = ASIAP\naws_secret_access_key = s\naws_session_token = t\n", "p", profile.ResolveOptions{}, provider.Options{},
			"StaticKey  aws 0s", ""},
		{"a role over a foreign process", "[profile p]\ncredential_process = get-them\n[profile r]\nsource_profile = p\nmfa_serial = " + serial + "\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{AssumeRoleTTL: 12 * time.Hour},
			"credential_process  aws 0s | AssumeRole us-east-1 aws 1h0m0s MFA as alice", "at most 1h"},
		{"a role over the environment", "[profile r]\ncredential_source = Environment\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{},
			"Environment  aws 0s | AssumeRole us-east-1 aws 1h0m0s as os-user", ""},
		{"a long-lived key in the environment grants more than an hour", "[profile r]\ncredential_source = Environment\nduration_seconds = 7200\nrole_arn = " + roleARN("r"), "r",
			profile.ResolveOptions{Getenv: env("AWS_ACCESS_KEY_ID", "AKIA")}, provider.Options{},
			"Environment  aws 0s | AssumeRole us-east-1 aws 2h0m0s as os-user", ""},
		{"a session there does not", "[profile r]\ncredential_source = Environment\nduration_seconds = 7200\nrole_arn = " + roleARN("r"), "r",
			profile.ResolveOptions{Getenv: env("AWS_ACCESS_KEY_ID", "ASIA", "AWS_SESSION_TOKEN", "t")}, provider.Options{},
			"Environment  aws 0s | AssumeRole us-east-1 aws 1h0m0s as os-user", "at most 1h"},
		{"a serial over an instance is of no use", "[profile r]\ncredential_source = Ec2InstanceMetadata\nmfa_serial = " + serial + "\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{},
			"Ec2InstanceMetadata  aws 0s | AssumeRole us-east-1 aws 1h0m0s as alice", "mfa_serial is ignored"},
		{"a serial over a sign-in is asked for in the browser", "[profile s]\nlogin_session = arn:aws:iam::123456789012:user/alice\nregion = eu-west-1\n[profile r]\nsource_profile = s\nmfa_serial = " + serial + "\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{},
			"CreateOAuth2Token eu-west-1 aws 0s | AssumeRole eu-west-1 aws 1h0m0s as alice", "mfa_serial is ignored"},
		{"a container", "[profile r]\ncredential_source = EcsContainer\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{},
			"EcsContainer  aws 0s | AssumeRole us-east-1 aws 1h0m0s as os-user", ""},
		{"a web identity may last 12 h", "[profile r]\nweb_identity_token_file = /t\nduration_seconds = 43200\nrole_arn = " + roleARN("r"), "r", profile.ResolveOptions{}, provider.Options{},
			"AssumeRoleWithWebIdentity us-east-1 aws 12h0m0s as os-user", ""},
		{"Identity Center decides how long", "[profile s]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-central-1\nsso_account_id = 123456789012\nsso_role_name = Dev\n", "s", profile.ResolveOptions{}, provider.Options{AssumeRoleTTL: time.Hour},
			"GetRoleCredentials eu-central-1 aws 0s", "IAM Identity Center decides"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := planOf(t, c.config, c.profile, c.resolve, c.options)
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(p); got != c.want {
				t.Errorf("plan is\n  %s\nwant\n  %s", got, c.want)
			}
			if all := strings.Join(p.Warnings, "\n"); (c.warns == "") != (all == "") || !strings.Contains(all, c.warns) {
				t.Errorf("warnings are %q, want %q", all, c.warns)
			}
		})
	}
}

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

func describe(p *provider.Plan) string {
	var steps []string
	for _, s := range p.Steps {
		text := fmt.Sprint(s.Operation, " ", s.Region, " ", s.Partition, " ", s.Duration)
		if s.MFASerial != "" {
			text += " MFA"
		}
		if s.SessionName != "" {
			text += " as " + s.SessionName
		}
		steps = append(steps, text)
	}
	return strings.Join(steps, " | ")
}

func TestPlanRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  string
		profile string
		options provider.Options
		class   error
		says    []string
	}{
		{"a session too short", "[default]\n", "default", provider.Options{SessionTTL: 899 * time.Second}, provider.ErrBounds, []string{"15m", "36h"}},
		{"a session too long", "[default]\n", "default", provider.Options{SessionTTL: 36*time.Hour + time.Second}, provider.ErrBounds, nil},
		{"a role too short", role(""), "r", provider.Options{AssumeRoleTTL: time.Minute}, provider.ErrBounds, []string{"15m", "12h"}},
		{"a role too long", role(""), "r", provider.Options{AssumeRoleTTL: 13 * time.Hour}, provider.ErrBounds, nil},
		{"duration_seconds out of bounds", role("duration_seconds = 60"), "r", provider.Options{}, profile.ErrMalformed, []string{"duration_seconds = 60", "900 and 43200"}},
		{"a security key", role("mfa_serial = arn:aws:iam::123456789012:u2f/user/alice/k-1"), "r", provider.Options{}, profile.ErrUnsupported, []string{"FIDO2", "virtual MFA device", "--mfa-serial"}},
		{"a security key, straight", role("mfa_serial = arn:aws:iam::123456789012:u2f/user/alice/k-1"), "r", provider.Options{NoSession: true}, profile.ErrUnsupported, nil},
		{"no serial at all", role("mfa_serial = my phone"), "r", provider.Options{}, profile.ErrMalformed, []string{"my phone", "groat mfa list"}},
		{"no region", role("region = eu west 1"), "r", provider.Options{}, profile.ErrMalformed, []string{"eu west 1", "not a valid region"}},
		{"an external ID", role("external_id = a b"), "r", provider.Options{}, profile.ErrMalformed, []string{"external_id"}},
		{"a reserved tag", role("session_tags = AWS:x=y"), "r", provider.Options{}, profile.ErrMalformed, []string{"AWS:x"}},
		{"no key anywhere", "[profile a]\nregion = eu-west-1\n", "a", provider.Options{}, provider.ErrNoKey, []string{"groat add a"}},
		{"no key at the source", "[profile a]\n[profile b]\nsource_profile = a\nrole_arn = " + roleARN("b"), "b", provider.Options{}, provider.ErrNoKey, []string{`source profile "a"`, "groat add a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := planOf(t, c.config, c.profile, profile.ResolveOptions{}, c.options)
			wantError(t, err, c.class, c.says...)
		})
	}
	r := &profile.Resolved{Name: "p", Profile: "p", Source: profile.Source{Kind: profile.SourceKey, Profile: "p"}}
	if _, err := provider.NewPlan(r, nil, provider.Options{}); !errors.Is(err, provider.ErrNoKey) {
		t.Errorf("a lost card: %v", err)
	}
}

package profile

import (
	"errors"
	"strings"
	"testing"
)

// load scans the texts of a config and a credentials file.
func load(t testing.TB, config, credentials string) *Config {
	t.Helper()
	c, err := Load(LoadOptions{ConfigFile: "config", CredentialsFile: "credentials", ReadFile: func(path string) ([]byte, error) {
		if path == "config" {
			return []byte(config), nil
		}
		return []byte(credentials), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// holding is a vault with keys under these names.
func holding(names ...string) func(string) (bool, error) {
	return func(name string) (bool, error) {
		for _, n := range names {
			if n == name {
				return true, nil
			}
		}
		return false, nil
	}
}

// selfGroat recognises `groat credential-process NAME`, plain or with flags.
func selfGroat(line string) (name string, plain, ok bool) {
	words, err := SplitWords(line)
	if err != nil || len(words) < 3 || !strings.HasSuffix(words[0], "groat") || words[1] != "credential-process" {
		return "", false, false
	}
	return words[2], len(words) == 3, true
}

func mustResolve(t *testing.T, c *Config, name string, o ResolveOptions) *Resolved {
	t.Helper()
	if o.SelfProfile == nil {
		o.SelfProfile = selfGroat
	}
	r, err := c.Resolve(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const teamConfig = `[default]
region=eu-west-1
[profile readonly]
role_arn=arn:aws:iam::123456789012:role/readonly-role
source_profile=default
mfa_serial=arn:aws:iam::123456789012:mfa/myusername
[profile admin]
role_arn=arn:aws:iam::123456789012:role/admin-role
source_profile=default
mfa_serial=arn:aws:iam::123456789012:mfa/myusername
`

func TestResolveRoleOverKey(t *testing.T) {
	r := mustResolve(t, load(t, teamConfig, ""), "admin", ResolveOptions{HoldsKey: holding("default")})
	if r.Source.Kind != SourceKey || r.Source.Profile != "default" || r.Source.Region != "eu-west-1" {
		t.Errorf("source = %+v", r.Source)
	}
	const serial = "arn:aws:iam::123456789012:mfa/myusername"
	if len(r.Roles) != 1 || r.Roles[0].RoleARN != "arn:aws:iam::123456789012:role/admin-role" || r.Roles[0].MFASerial != serial || r.Roles[0].Region != "eu-west-1" {
		t.Errorf("roles = %+v", r.Roles)
	}
	if r.Source.MFASerial != serial || r.Region != "eu-west-1" || strings.Join(r.Chain, " ") != "admin default" {
		t.Errorf("resolved = %+v", r)
	}
}

// Each case says what one rule of the contract decides.
func TestResolveRules(t *testing.T) {
	const arn, arnB = "arn:aws:iam::123456789012:role/a", "arn:aws:iam::123456789012:role/b"
	cases := []struct {
		name, config, credentials, ask string
		o                              ResolveOptions
		check                          func(*Resolved) bool
	}{
		{"nothing comes from default", "[default]\nregion = x\nrole_arn = " + arn + "\nsource_profile = k\nmfa_serial = s\n[profile p]\noutput = json\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool {
				return r.Region == "" && len(r.Roles) == 0 && r.Source.MFASerial == "" && r.Source.Kind == SourceKey
			}},
		{"unless it is included", "[default]\nregion = x\nmfa_serial = s\n[profile p]\ninclude_profile = default\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool { return r.Region == "x" && r.Source.MFASerial == "s" }},
		{"serial, process and region come from the source", "[profile k]\nregion = x\nmfa_serial = s\nmfa_process = m\n[profile p]\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool {
				return r.Region == "x" && r.Roles[0].MFASerial == "s" && r.MFAProcess == "m" && r.Roles[0].Region == "x"
			}},
		{"its own value wins", "[profile k]\nregion = x\nmfa_serial = s\n[profile p]\nregion = y\nmfa_serial = t\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool {
				return r.Region == "y" && r.Source.Region == "x" && r.Source.MFASerial == "t" && r.Roles[0].MFASerial == "t"
			}},
		{"a role's own key is its base", "[profile k]\nregion = x\n[profile p]\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k", "p")},
			func(r *Resolved) bool { return r.Source.Profile == "p" && len(r.Roles) == 1 && len(r.Chain) == 1 }},
		{"and inherits from the source it names all the same", "[profile k]\nregion = x\nsource_profile = l\nrole_arn = " + arnB + "\n[profile l]\nmfa_serial = s\nsource_profile = k\n[profile p]\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool {
				return r.Region == "x" && r.Source.Region == "x" && r.Source.MFASerial == "s" && r.Roles[0].Region == "x" && len(r.Roles) == 1
			}},
		{"also where that source was configured", "[profile p]\nrole_arn = " + arn + "\nsource_profile = k\n[profile k]\nregion = x\ncredential_process = groat credential-process k-groat\n[profile k-groat]\nmfa_serial = s\nrole_arn = " + arnB + "\nsource_profile = l\n[profile l]\nmfa_process = m\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool {
				return r.Source.Profile == "p" && r.Source.MFASerial == "s" && r.Region == "x" && r.MFAProcess == "m" && len(r.Roles) == 1
			}},
		{"an include of itself is none", "[profile p]\ninclude_profile = q\n[profile q]\ninclude_profile = q\nregion = x\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool { return r.Region == "x" }},
		{"a self source with a key is no loop", "[profile p]\nrole_arn = " + arn + "\nsource_profile = p\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool { return r.Source.Kind == SourceKey && len(r.Roles) == 1 }},
		{"a self source with plaintext keys is no loop", "[profile p]\nrole_arn = " + arn + "\nsource_profile = p\n", "[p]\naws_access_key_id = I\naws_secret_access_key = S\n", "p", ResolveOptions{},
			func(r *Resolved) bool {
				return r.Source.Kind == SourceStatic && r.Source.Static.File == "credentials" && len(r.Roles) == 1
			}},
		{"the key wins over process, SSO and plaintext", "[profile p]\ncredential_process = /bin/x\nsso_account_id = 1\naws_access_key_id = I\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool { return r.Source.Kind == SourceKey }},
		{"the process wins over plaintext", "[profile p]\ncredential_process = /bin/x\naws_access_key_id = I\naws_secret_access_key = S\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool {
				return r.Source.Kind == SourceProcess && r.Source.Process == "/bin/x"
			}},
		{"a process calling us for the same profile is ignored", "[profile p]\ncredential_process = groat credential-process p\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceNone }},
		{"for another it is an alias", "[profile p]\nregion = y\ncredential_process = groat credential-process q\n[profile q]\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool {
				return r.Name == "p" && r.Profile == "q" && r.Source.Profile == "k" && r.Roles[0].Profile == "q" && r.Roles[0].Region == "y" && r.Region == "y"
			}},
		{"a process calling us for more than another profile is run", "[profile p]\ncredential_process = groat credential-process q --role-arn " + arn + "\n[profile q]\n", "", "p", ResolveOptions{HoldsKey: holding("q")},
			func(r *Resolved) bool {
				return r.Source.Kind == SourceProcess && strings.Contains(r.Source.Process, "--role-arn") && r.Profile == "p"
			}},
		{"but not for the same profile", "[profile p]\ncredential_process = groat credential-process p --role-arn " + arn + "\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceNone }},
		{"keys of the credentials file win over a process", "[profile p]\ncredential_process = /bin/x\n", "[p]\naws_access_key_id = I\naws_secret_access_key = S\n", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceStatic }},
		{"Identity Center wins over a process and keys", "[profile p]\ncredential_process = /bin/x\nsso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = n\n", "[p]\naws_access_key_id = I\naws_secret_access_key = S\n", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceSSO }},
		{"a sign-in wins over a process and keys of the config file", "[profile p]\ncredential_process = /bin/x\nlogin_session = arn:aws:iam::123456789012:user/a\naws_access_key_id = I\naws_secret_access_key = S\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool {
				return r.Source.Kind == SourceLogin && r.Source.LoginSession == "arn:aws:iam::123456789012:user/a"
			}},
		{"keys of the credentials file win over a sign-in", "[profile p]\nlogin_session = arn:aws:iam::123456789012:root\n", "[p]\naws_access_key_id = I\naws_secret_access_key = S\n", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceStatic }},
		{"Identity Center wins over a sign-in", "[profile p]\nlogin_session = arn:aws:iam::123456789012:root\nsso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = n\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceSSO }},
		{"the environment's region is not for a sign-in of another partition", "[profile p]\nlogin_session = arn:aws-us-gov:sts::123456789012:assumed-role/a/b\n", "", "p", ResolveOptions{Getenv: env("AWS_REGION=us-east-1")},
			func(r *Resolved) bool { return r.Source.Kind == SourceLogin && r.Source.Region == "" }},
		{"what is inherited beside an own key has its file", "[profile p]\nrole_arn = " + arn + "\nsource_profile = k\n[profile k]\nmfa_process = m\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool { return r.MFAProcess == "m" }},
		{"the environment's region is not for another partition", "[profile p]\nrole_arn = " + strings.Replace(arn, "aws", "aws-us-gov", 1) + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k"), Getenv: env("AWS_REGION=us-east-1")},
			func(r *Resolved) bool {
				return r.Roles[0].Region == "" && r.Source.Region == "" && r.Region == "us-east-1"
			}},
		{"but for this one", "[profile p]\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k"), Getenv: env("AWS_REGION=us-east-1")},
			func(r *Resolved) bool { return r.Roles[0].Region == "us-east-1" && r.Source.Region == "us-east-1" }},
		{"--region places a web identity's call", "[profile p]\nregion = x\nrole_arn = " + arn + "\nweb_identity_token_file = /t\n", "", "p", ResolveOptions{Region: "y"},
			func(r *Resolved) bool { return r.Source.Region == "y" && r.Region == "y" }},
		{"account and name lie where the profile's role lies", "[profile p]\nrole_arn = " + strings.Replace(arn, "aws", "aws-cn", 1) + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k"), RoleARN: "123456789012:other", Getenv: env("AWS_REGION=us-east-1")},
			func(r *Resolved) bool {
				return r.Roles[0].RoleARN == "arn:aws-cn:iam::123456789012:role/other" && r.Roles[0].Region == ""
			}},
		{"a key in the environment is long-lived", "[profile p]\nrole_arn = " + arn + "\ncredential_source = Environment\n", "", "p", ResolveOptions{Getenv: env("AWS_ACCESS_KEY_ID=A")},
			func(r *Resolved) bool { return r.Source.LongLived }},
		{"unless there is a session token", "[profile p]\nrole_arn = " + arn + "\ncredential_source = Environment\n", "", "p", ResolveOptions{Getenv: env("AWS_ACCESS_KEY_ID=A", "AWS_SESSION_TOKEN=t")},
			func(r *Resolved) bool { return !r.Source.LongLived }},
		{"a stored key needs no section", "", "", "k", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool { return r.Source.Kind == SourceKey && r.Source.Profile == "k" }},
		{"roles are in the order they are assumed", "[profile p]\nrole_arn = " + arn + "\nsource_profile = q\n[profile q]\nrole_arn = " + arnB + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool {
				return len(r.Roles) == 2 && r.Roles[0].RoleARN == arnB && r.Roles[1].RoleARN == arn
			}},
		{"a profile without a role takes its source's", "[profile p]\nsource_profile = q\n[profile q]\nrole_arn = " + arnB + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool { return len(r.Roles) == 1 && r.Source.Profile == "k" }},
		{"--role-arn replaces the role", "[profile p]\nregion = cn-north-1\nrole_arn = " + arn + "\nsource_profile = k\n", "", "p", ResolveOptions{HoldsKey: holding("k"), RoleARN: "123456789012:other"},
			func(r *Resolved) bool {
				return len(r.Roles) == 1 && r.Roles[0].RoleARN == "arn:aws-cn:iam::123456789012:role/other" && r.Roles[0].Profile == ""
			}},
		{"--role-arn on a key", "[profile p]\nmfa_serial = s\n", "", "p", ResolveOptions{HoldsKey: holding("p"), RoleARN: arn},
			func(r *Resolved) bool {
				return len(r.Roles) == 1 && r.Roles[0].RoleARN == arn && r.Roles[0].MFASerial == "s"
			}},
		{"--mfa-serial wins", "[profile p]\nmfa_serial = s\n", "", "p", ResolveOptions{HoldsKey: holding("p"), MFASerial: "t"},
			func(r *Resolved) bool { return r.Source.MFASerial == "t" }},
		{"--mfa-serial none", "[profile p]\nmfa_serial = s\n", "", "p", ResolveOptions{HoldsKey: holding("p"), MFASerial: "none"},
			func(r *Resolved) bool { return r.Source.MFASerial == "" && r.Source.NoMFA }},
		{"region from the environment comes last", "[profile p]\n", "", "p", ResolveOptions{HoldsKey: holding("p"), Getenv: env("AWS_DEFAULT_REGION=d", "AWS_REGION=r")},
			func(r *Resolved) bool { return r.Region == "r" }},
		{"sso-session", "[sso-session s]\nsso_start_url = u\nsso_region = r\nsso_registration_scopes = a, b\n[profile p]\nsso_session = s\nsso_account_id = 1\nsso_role_name = n\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool {
				s := r.Source.SSO
				return r.Source.Kind == SourceSSO && s.Session == "s" && s.StartURL == "u" && s.Region == "r" && len(s.RegistrationScopes) == 2 && s.RoleName == "n"
			}},
		{"legacy SSO", "[profile p]\nsso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = n\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.SSO.Session == "" && r.Source.SSO.AccountID == "1" }},
		{"web identity", "[profile p]\nrole_arn = " + arn + "\nweb_identity_token_file = /t\nrole_session_name = n\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool {
				return r.Source.Kind == SourceWebIdentity && r.Source.WebIdentity.RoleARN == arn && len(r.Roles) == 0
			}},
		{"a role over web identity", "[profile p]\nrole_arn = " + arn + "\nsource_profile = w\n[profile w]\nrole_arn = " + arnB + "\nweb_identity_token_process = /t\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool {
				return r.Source.WebIdentity.TokenProcess == "/t" && len(r.Roles) == 1
			}},
		{"credential_source", "[profile p]\nrole_arn = " + arn + "\ncredential_source = Ec2InstanceMetadata\n", "", "p", ResolveOptions{},
			func(r *Resolved) bool { return r.Source.Kind == SourceEC2 && len(r.Roles) == 1 }},
		{"tags, identity and policy", "[profile p]\nrole_arn = " + arn + "\nsource_profile = k\nsession_tags = a=1, b = 2=3\ntransitive_session_tags = b\nsource_identity = me\npolicy = {\"Version\":\"2012-10-17\"}\npolicy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool {
				x := r.Roles[0]
				return len(x.Tags) == 2 && x.Tags[1] == Tag{"b", "2=3"} && x.TransitiveTags[0] == "b" && x.SourceIdentity == "me" && x.Policy != "" && len(x.PolicyARNs) == 1
			}},
		{"aws-vault's variables win, for the role asked for", "[profile p]\nrole_arn = " + arn + "\nsource_profile = q\nsession_tags = a=1\n[profile q]\nrole_arn = " + arnB + "\nsource_profile = k\nsession_tags = c=3\n", "", "p", ResolveOptions{HoldsKey: holding("k"), Getenv: env("AWS_SESSION_TAGS=b=2", "AWS_TRANSITIVE_TAGS=b", "AWS_SOURCE_IDENTITY=ci")},
			func(r *Resolved) bool {
				inner, x := r.Roles[0], r.Roles[1]
				return x.Tags[0] == Tag{"b", "2"} && len(x.Tags) == 1 && x.TransitiveTags[0] == "b" && x.SourceIdentity == "ci" && inner.Tags[0] == Tag{"c", "3"} && inner.SourceIdentity == ""
			}},
		{"parent_profile works, and says what to write", "[profile c]\nmfa_serial = s\n[profile p]\nparent_profile = c\n", "", "p", ResolveOptions{HoldsKey: holding("p")},
			func(r *Resolved) bool {
				return r.Source.MFASerial == "s" && strings.Contains(r.Warnings[0], "include_profile = c")
			}},
		{"an included self source", "[profile root]\nregion = x\nsource_profile = root\n[profile p]\ninclude_profile = root\nrole_arn = " + arn + "\n", "", "p", ResolveOptions{HoldsKey: holding("root")},
			func(r *Resolved) bool {
				return r.Source.Profile == "root" && r.Region == "x" && len(r.Roles) == 1
			}},
		{"durations", "[profile p]\nrole_arn = " + arn + "\nsource_profile = k\nduration_seconds = 7200\n", "", "p", ResolveOptions{HoldsKey: holding("k")},
			func(r *Resolved) bool { return r.DurationSeconds == 7200 && r.Roles[0].DurationSeconds == 7200 }},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			r := mustResolve(t, load(t, tc.config, tc.credentials), tc.ask, tc.o)
			if !tc.check(r) {
				t.Errorf("got %+v\nsource %+v", r, r.Source)
			}
		})
	}
}

// env is a Getenv over "NAME=value" pairs.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v
			}
		}
		return ""
	}
}

func TestResolveErrors(t *testing.T) {
	const arn = "role_arn = arn:aws:iam::123456789012:role/a\n"
	cases := []struct {
		name, config, ask string
		sentinel          error
		text              string
	}{
		{"a sign-in of nobody", "[profile p]\nlogin_session = me\n", "p", ErrMalformed, "login_session"},
		{"unknown", teamConfig, "admn", ErrUnknownProfile, `unknown profile "admn" (did you mean "admin"?)`},
		{"unknown source", "[profile p]\n" + arn + "source_profile = q\n", "p", ErrUnknownProfile, `unknown profile "q", which profile "p" refers to`},
		{"unknown include", "[profile p]\ninclude_profile = q\n", "p", ErrUnknownProfile, `"q", which profile "p" refers to`},
		{"circle of sources", "[profile a]\n" + arn + "source_profile = b\n[profile b]\n" + arn + "source_profile = a\n", "a", ErrCycle, "a → b → a"},
		{"circle behind a profile", "[profile p]\n" + arn + "source_profile = a\n[profile a]\n" + arn + "source_profile = b\n[profile b]\n" + arn + "source_profile = a\n", "p", ErrCycle, "circle: a → b → a"},
		{"circle of includes", "[profile a]\ninclude_profile = b\n[profile b]\ninclude_profile = a\n", "a", ErrCycle, "a → b → a"},
		{"circle of processes", "[profile a]\ncredential_process = groat credential-process b\n[profile b]\ncredential_process = groat credential-process a\n", "a", ErrCycle, "a → b → a"},
		{"self source without a key", "[profile a]\n" + arn + "source_profile = a\n", "a", ErrCycle, "a → a"},
		{"malformed line", "[profile a]\nregion = x\n\nnonsense\n", "a", ErrMalformed, "config:4: "},
		{"malformed line of the source", "[profile a]\n" + arn + "source_profile = b\n[profile b]\nnonsense\n", "a", ErrMalformed, "config:5: "},
		{"malformed header", "[profile a]\nregion = x\n[profile b\n", "a", ErrMalformed, "config:3: "},
		{"malformed nested line", "[profile a]\ns3 =\n  nonsense\n", "a", ErrMalformed, "config:3: "},
		{"no header", "region = x\n[profile a]\n", "a", ErrMalformed, "config:1: "},
		{"both sources", "[profile a]\n" + arn + "source_profile = b\ncredential_source = Environment\n", "a", ErrUnsupported, "both source_profile and credential_source"},
		{"role ARN", "[profile a]\nrole_arn = admin\nsource_profile = b\n[profile b]\naws_access_key_id = I\naws_secret_access_key = S\n", "a", ErrMalformed, "config:2: "},
		{"half a key", "[profile a]\naws_access_key_id = I\n", "a", ErrMalformed, "without aws_secret_access_key"},
		{"SSO lacks keys", "[profile a]\nsso_account_id = 1\n", "a", ErrMalformed, "lacks sso_start_url, sso_region, sso_role_name"},
		{"SSO session missing", "[profile a]\nsso_account_id = 1\nsso_role_name = n\nsso_session = s\n", "a", ErrMalformed, `sso-session "s"`},
		{"services missing", "[profile a]\nservices = s\n", "a", ErrMalformed, `services section "s"`},
		{"duration", "[profile a]\nduration_seconds = 1h\n", "a", ErrMalformed, "config:2: "},
		{"credential_source", "[profile a]\n" + arn + "credential_source = Ec2\n", "a", ErrMalformed, "Ec2"},
		{"tags", "[profile a]\n" + arn + "credential_source = Environment\nsession_tags = a\n", "a", ErrMalformed, "not key=value"},
		{"transitive tags", "[profile a]\n" + arn + "credential_source = Environment\ntransitive_session_tags = a\n", "a", ErrMalformed, "not in session_tags"},
		{"policy", "[profile a]\n" + arn + "credential_source = Environment\npolicy = {\n", "a", ErrMalformed, "not valid JSON"},
		{"identity", "[profile a]\n" + arn + "credential_source = Environment\nsource_identity = a b\n", "a", ErrMalformed, "source_identity"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.config, "").Resolve(tc.ask, ResolveOptions{SelfProfile: selfGroat})
			if !errors.Is(err, tc.sentinel) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error = %v, want %v with %q", err, tc.sentinel, tc.text)
			}
			var pe *Error
			if !errors.As(err, &pe) {
				t.Errorf("error is a %T", err)
			}
		})
	}
}

// A malformed line concerns only its own section's profiles.
func TestMalformedLineElsewhere(t *testing.T) {
	c := load(t, "[profile a]\nnonsense\n[profile b]\nregion = x\n", "")
	r := mustResolve(t, c, "b", ResolveOptions{HoldsKey: holding("b")})
	if r.Region != "x" {
		t.Errorf("region = %q", r.Region)
	}
	if p := c.Problems(); len(p) != 1 || p[0].Line != 2 {
		t.Errorf("problems = %v", p)
	}
}

func TestEndpoints(t *testing.T) {
	const config = `[services dev]
sts =
  endpoint_url = http://sts.file
iam =
  endpoint_url = http://iam.file
[profile k]
use_fips_endpoint = TRUE
[profile p]
role_arn = arn:aws:iam::123456789012:role/a
source_profile = k
endpoint_url = http://all.file
services = dev
ca_bundle = /ca.pem
sts_regional_endpoints = legacy
`
	c := load(t, config, "")
	hold := holding("k")
	r := mustResolve(t, c, "p", ResolveOptions{HoldsKey: hold})
	role := r.Roles[0].Endpoints
	if role.For("sts") != "http://sts.file" || role.For("iam") != "http://iam.file" || role.For("sso") != "http://all.file" || role.FIPS || role.CABundle != "/ca.pem" || role.STSRegional != "legacy" {
		t.Errorf("role endpoints = %+v", role)
	}
	if s := r.Source.Endpoints; s.For("sts") != "http://sts.file" || !s.FIPS || s.CABundle != "/ca.pem" {
		t.Errorf("source endpoints = %+v", s)
	}
	r = mustResolve(t, c, "p", ResolveOptions{HoldsKey: hold, Getenv: env("AWS_ENDPOINT_URL=http://all.env", "AWS_ENDPOINT_URL_SSO_OIDC=http://oidc.env", "AWS_USE_DUALSTACK_ENDPOINT=true", "AWS_CA_BUNDLE=/env.pem", "AWS_STS_REGIONAL_ENDPOINTS=regional")})
	role = r.Roles[0].Endpoints
	if role.For("sts") != "http://all.env" || role.For("sso_oidc") != "http://oidc.env" || !role.DualStack || role.CABundle != "/env.pem" || role.STSRegional != "regional" {
		t.Errorf("with environment: %+v", role)
	}
	r = mustResolve(t, c, "p", ResolveOptions{HoldsKey: hold, Getenv: env("AWS_ENDPOINT_URL=http://all.env", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true")})
	if u := r.Roles[0].Endpoints.URL; len(u) != 0 {
		t.Errorf("ignored, yet %v", u)
	}
}

func TestEnvironmentWebIdentity(t *testing.T) {
	if NamesWebIdentity(env("AWS_ROLE_ARN=arn:aws:iam::123456789012:role/a")) || NamesWebIdentity(env("AWS_WEB_IDENTITY_TOKEN_FILE=/t")) {
		t.Error("one of two variables counts")
	}
	getenv := env("AWS_ROLE_ARN=arn:aws:iam::123456789012:role/a", "AWS_WEB_IDENTITY_TOKEN_FILE=/t", "AWS_ROLE_SESSION_NAME=n", "AWS_ENDPOINT_URL_STS=http://sts.env", "AWS_REGION=eu-west-1")
	if !NamesWebIdentity(getenv) {
		t.Error("both do not count")
	}
	r, err := ResolveEnvironmentWebIdentity(ResolveOptions{Getenv: getenv})
	if err != nil || r.Source.WebIdentity.TokenFile != "/t" || r.Source.WebIdentity.SessionName != "n" || r.Source.Endpoints.For("sts") != "http://sts.env" || r.Region != "eu-west-1" {
		t.Errorf("got %+v, %v", r, err)
	}
	r, err = ResolveEnvironmentWebIdentity(ResolveOptions{Getenv: getenv, RoleARN: "123456789012:b", Region: "us-west-2"})
	if err != nil || r.Source.WebIdentity.RoleARN != "arn:aws:iam::123456789012:role/b" || r.Source.Region != "us-west-2" {
		t.Errorf("with flags: %+v, %v", r, err)
	}
	if _, err = ResolveEnvironmentWebIdentity(ResolveOptions{Getenv: env("AWS_ROLE_ARN=x", "AWS_WEB_IDENTITY_TOKEN_FILE=/t")}); !errors.Is(err, ErrMalformed) {
		t.Errorf("error = %v", err)
	}
}

func TestMissingWordProfileIsNamed(t *testing.T) {
	_, err := load(t, "[default]\n[work]\nregion = x\n", "").Resolve("work", ResolveOptions{})
	var pe *Error
	if !errors.As(err, &pe) || !strings.Contains(pe.Hint(), "[profile work]") || !strings.Contains(pe.Hint(), "line 2") {
		t.Errorf("error = %v, hint %q", err, pe.Hint())
	}
}

func TestUnreadableFileIsAnError(t *testing.T) {
	_, err := Load(LoadOptions{ConfigFile: t.TempDir()})
	var pe *Error
	if !errors.Is(err, ErrAccess) || !errors.As(err, &pe) || pe.File == "" {
		t.Errorf("a directory as config file: %v", err)
	}
	if c, err := Load(LoadOptions{ConfigFile: t.TempDir() + "/none"}); err != nil || len(c.Names()) != 0 {
		t.Errorf("a missing file: %v", err)
	}
}

// A role that nothing can assume is told so at its line, and which key could.
func TestRoleWithoutSource(t *testing.T) {
	const role = "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
	for _, c := range []struct {
		config, err, hint string
		keys              []string
	}{
		{role, `config:2: profile "p" has a role but no source_profile`, "source_profile = main", []string{"main"}},
		{role, "config:2: ", "source_profile = PROFILE", []string{"a", "b"}},
		{role, "config:2: ", "source_profile = PROFILE", []string{"p"}}, // a record without its key
		{role + "source_profile = nope\n", `config:3: unknown profile "nope", which profile "p" refers to`, "in [profile p]: source_profile = main", []string{"main"}},
	} {
		_, err := load(t, c.config, "").Resolve("p", ResolveOptions{HoldsKey: holding("main"), KeyNames: func() []string { return c.keys }})
		var pe *Error
		if !errors.As(err, &pe) || !strings.Contains(err.Error(), c.err) || !strings.Contains(pe.Hint(), c.hint) || strings.Contains(pe.Hint(), "groat add p") {
			t.Errorf("%q with keys %v: %v", c.config, c.keys, err)
		}
	}
}

// A vault that cannot open is never an unknown profile: the name may be a
// key's that nobody can see now.
func TestUnknownProfileWithoutVault(t *testing.T) {
	closed := errors.New("no bus")
	o := ResolveOptions{HoldsKey: func(string) (bool, error) { return false, closed }}
	c := load(t, teamConfig, "")
	for _, name := range []string{"amdin", "something-else", "admin"} {
		if _, err := c.Resolve(name, o); !errors.Is(err, closed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key needs no section: its name is suggested like a profile's.
func TestStoredKeysAreSuggested(t *testing.T) {
	c := load(t, "[profile prod2]\nregion = x\n", "")
	o := ResolveOptions{
		HoldsKey: func(string) (bool, error) { return false, nil },
		KeyNames: func() []string { return []string{"prod", "spare"} },
		Getenv:   func(string) string { return "" },
	}
	if _, err := c.Resolve("spair", o); !errors.Is(err, ErrUnknownProfile) || !strings.Contains(err.Error(), `did you mean "spare"?`) {
		t.Errorf("%v", err)
	}
	locked := errors.New("locked")
	o.HoldsKey = func(string) (bool, error) { return false, locked }
	for _, name := range []string{"prod", "prod3"} {
		if _, err := c.Resolve(name, o); !errors.Is(err, locked) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// That a profile is unknown costs the same however many others there are: what
// it may have meant is looked for when the error is read. Allocations are
// counted, not time.
func TestUnknownProfileIsCheap(t *testing.T) {
	allocations := func(n int) float64 {
		c := load(t, manyProfiles(n), "")
		return testing.AllocsPerRun(3, func() {
			if _, err := c.Resolve("taem-7", ResolveOptions{}); !errors.Is(err, ErrUnknownProfile) {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocations(10), allocations(1000); many > few {
		t.Errorf("%v allocations among 10 profiles, %v among 1,000", few, many)
	}
}

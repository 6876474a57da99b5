package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/cmd/doctor"
	"groat/vault"
)

// soundConfig is what every seeded mistake is put beside.
const soundConfig = `[profile base]
region = eu-west-1
mfa_serial = arn:aws:iam::123456789012:mfa/alice
[profile dev]
role_arn = arn:aws:iam::123456789012:role/dev
source_profile = base
`

// machine is what doctor looks at in a test: files under HOME, variables, and
// the keys of a vault that is not there.
type machine struct {
	config, credentials string
	files               map[string]string // under HOME
	env                 []string
	sound               bool // no settings to parse, which takes most of the time
	change              func(home string, p *doctor.Patient)
}

// examine gives the findings as lines of check, profile and line.
func (m machine) examine(t *testing.T) []doctor.Finding {
	t.Helper()
	home := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(strings.ReplaceAll(text, "HOME", home)), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write(".aws/config", m.config)
	if m.credentials != "" {
		write(".aws/credentials", m.credentials)
	}
	for name, text := range m.files {
		write(name, text)
	}
	env := append(slices.Clone(m.env), "HOME="+home, "PATH="+os.Getenv("PATH"), "GROAT_BACKEND=file", "EDITOR=true")
	a := newApp(env, Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	var c doctorCmd
	if a.cli.Backend, a.cli.Prompt = "file", autoBackend; !m.sound {
		command, err := a.parse([]string{"doctor"})
		if err != nil {
			t.Fatal(err)
		}
		c = *command.(*doctorCmd)
	}
	p := c.patient(t.Context(), a)
	card := vault.Card{Profile: "base", KeyID: "AKIAIOSFODNN7EXAMPLE", Account: "123456789012", Added: time.Now()}
	p.Keys = append(p.Keys, doctor.Key{Profile: "base", Backend: "file", Card: &card})
	if m.change != nil {
		m.change(home, p)
	}
	return doctor.Examine(p)
}

// The mistakes, each with the check that must find it, its severity and the
// line of the config file that must be named (0: none, or another file's).
func TestDoctorFindsMistakes(t *testing.T) {
	plus := func(text string) machine { return machine{config: soundConfig + text} }
	with := func(env ...string) machine { return machine{config: soundConfig, env: env} }
	keys := "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n"
	role := "[profile x]\nrole_arn = arn:aws:iam::123456789012:role/x\n"
	past, future := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	kept := func(change func(home string, p *doctor.Patient)) machine {
		return machine{config: soundConfig, change: change}
	}
	cases := []struct {
		name     string
		m        machine
		check    string
		severity string
		line     int
	}{
		{"a line without key", plus("[profile x]\nnonsense\n"), "syntax", "error", 8},
		{"a header that is not closed", plus("[profile x\n"), "syntax", "error", 7},
		{"a line before all sections", machine{config: "region = eu-west-1\n" + soundConfig}, "syntax", "error", 1},
		{"not UTF-8", plus("[profile x]\nregion = \xff\n"), "syntax", "error", 8},
		{"a section twice", plus("[profile base]\noutput = json\n"), "duplicate-section", "warning", 7},
		{"a key twice", plus("[profile x]\nregion = us-east-1\nregion = us-east-2\n"), "duplicate-key", "warning", 9},
		{"no word profile", plus("[x]\nregion = us-east-1\n"), "ignored-section", "error", 7},
		{"a capital default", plus("[Default]\nregion = us-east-1\n"), "ignored-section", "error", 7},
		{"a name with a blank", plus("[profile my team]\nregion = us-east-1\n"), "ignored-section", "error", 7},
		{"the word profile in credentials", machine{config: soundConfig, credentials: "[profile x]\nregion = us-east-1\n"}, "ignored-section", "error", 0},
		{"a key misspelt", plus(role + "source_profile = base\nmfa_serail = 12345678\n"), "misspelt-key", "error", 10},
		{"a key with dashes", plus("[profile x]\nrole-arn = arn:aws:iam::123456789012:role/x\n"), "misspelt-key", "error", 8},
		{"a source misspelt", plus("[profile x]\nsource_profil = base\n"), "misspelt-key", "error", 8},
		{"no value", plus("[profile x]\nregion =\n"), "empty-value", "warning", 8},
		{"quotes", plus("[profile x]\nregion = \"eu-west-1\"\n"), "quoted-value", "error", 8},
		{"a region that is none", plus("[profile x]\nregion = eu-west1\n"), "bad-value", "error", 8},
		{"a region in capitals", plus("[profile x]\nregion = EU-WEST-1\n"), "bad-value", "error", 8},
		{"a user as device", plus("[profile x]\nmfa_serial = arn:aws:iam::123456789012:user/alice\n"), "bad-value", "error", 8},
		{"a placeholder as device", plus("[profile x]\nmfa_serial = arn:aws:iam::ACCOUNT:mfa/USER\n"), "bad-value", "error", 8},
		{"an account of eleven digits", plus("[profile x]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\nsso_role_name = r\nsso_account_id = 12345678901\n"), "bad-value", "error", 11},
		{"a start URL without https", plus("[profile x]\nsso_start_url = http://corp.example/start\nsso_region = us-east-1\nsso_role_name = r\nsso_account_id = 123456789012\n"), "bad-value", "error", 8},
		{"neither legacy nor regional", plus("[profile x]\nsts_regional_endpoints = global\n"), "bad-value", "error", 8},
		{"neither true nor false", plus("[profile x]\nuse_fips_endpoint = yes\n"), "bad-value", "error", 8},
		{"aws-vault's old word", plus("[profile x]\nparent_profile = base\n"), "old-word", "warning", 8},
		{"an open quote in a process", plus("[profile x]\ncredential_process = /bin/true \"a\n"), "process-line", "error", 8},
		{"a tilde in a process", plus("[profile x]\ncredential_process = ~/bin/tool\n"), "process-line", "warning", 8},
		{"a quoted path", plus("[profile x]\ncredential_process = \"/bin/true\" x\n"), "quoted-path", "warning", 8},
		{"a program that is not there", plus("[profile x]\ncredential_process = /nonexistent/tool\n"), "process-missing", "error", 8},
		{"a program that is not in PATH", plus("[profile x]\ncredential_process = no-such-tool-here\n"), "process-missing", "error", 8},
		{"a process beside a role", plus(role + "source_profile = base\ncredential_process = /bin/true\n"), "process-beside-other", "warning", 10},
		{"a process beside a sign-in", plus("[profile x]\nlogin_session = arn:aws:iam::123456789012:user/alice\ncredential_process = /bin/true\n"), "process-beside-other", "warning", 9},
		{"a plaintext key", machine{config: soundConfig, credentials: "[x]\n" + keys}, "plaintext-key", "warning", 0},
		{"a plaintext key in the config", plus("[profile x]\n" + keys), "plaintext-key", "warning", 9},
		{"an external ID without a role", plus("[profile x]\nexternal_id = abc\n"), "no-role", "warning", 8},
		{"a source that is not there", plus(role + "source_profile = bsae\n"), "unknown-profile", "error", 9},
		{"an include that is not there", plus("[profile x]\ninclude_profile = nobody\n"), "unknown-profile", "error", 0},
		{"a helper that is not there", plus("[profile x]\ncredential_process = groat credential-process x-groat\n"), "unknown-profile", "error", 0},
		{"a circle", plus("[profile a]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = b\n[profile b]\nrole_arn = arn:aws:iam::123456789012:role/b\nsource_profile = a\n"), "cycle", "error", 0},
		{"a role without a source", plus(role), "malformed", "error", 8},
		{"two sources", plus(role + "source_profile = base\ncredential_source = Environment\n"), "unsupported", "error", 10},
		{"a credential source that nobody knows", plus(role + "credential_source = Ec2\n"), "malformed", "error", 9},
		{"a role that is a user", plus("[profile x]\nrole_arn = arn:aws:iam::123456789012:user/x\nsource_profile = base\n"), "malformed", "error", 8},
		{"a policy that is not JSON", plus(role + "source_profile = base\npolicy = {\n"), "malformed", "error", 10},
		{"a tag that is no pair", plus(role + "source_profile = base\nsession_tags = a\n"), "malformed", "error", 10},
		{"a duration in words", plus(role + "source_profile = base\nduration_seconds = 1h\n"), "malformed", "error", 10},
		{"a duration out of bounds", plus(role + "source_profile = base\nduration_seconds = 60\n"), "malformed", "error", 8},
		{"half a key", machine{config: soundConfig, credentials: "[x]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"}, "malformed", "error", 0},
		{"an sso-session that is not there", plus("[profile x]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n"), "malformed", "error", 8},
		{"half of Identity Center", plus("[profile x]\nsso_account_id = 123456789012\nsso_role_name = r\n"), "malformed", "error", 8},
		{"services that are not there", plus(role + "source_profile = base\nservices = local\n"), "malformed", "error", 10},
		{"a security key", plus(role + "source_profile = base\nmfa_serial = arn:aws:iam::123456789012:u2f/user/alice/k-1\n"), "unsupported", "error", 10},
		{"another account's device", plus(role + "source_profile = base\nmfa_serial = arn:aws:iam::210987654321:mfa/alice\n"), "mfa-account", "error", 10},
		{"a partition's region", plus(role + "source_profile = base\nregion = cn-north-1\n"), "plan", "warning", 8},
		{"more than AWS grants in a chain", plus(role + "source_profile = dev\nduration_seconds = 7200\n"), "plan", "warning", 8},
		{"http to another machine", plus("[profile x]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\nendpoint_url = http://sts.example\n"), "endpoint", "error", 10},
		{"no key for a source", plus("[profile root]\nregion = us-east-1\n" + role + "source_profile = root\n"), "no-key", "error", 11},
		{"a CA bundle that is not there", plus("[profile x]\nca_bundle = /nonexistent.pem\n"), "missing-file", "error", 8},
		{"an export that has expired", machine{config: soundConfig, credentials: "[x]\n" + keys + "aws_session_token = t\ngroat_exported = " + past + "\n"}, "expired-export", "warning", 0},

		{"a config that others can write", kept(func(home string, p *doctor.Patient) { chmodReload(t, p, filepath.Join(home, ".aws/config"), 0o666) }), "access", "error", 0},
		{"keys that others can read", machine{config: soundConfig, credentials: "[x]\n" + keys, change: func(home string, _ *doctor.Patient) { chmod(t, filepath.Join(home, ".aws/credentials"), 0o644) }}, "access", "warning", 0},
		{"state that others can read", machine{config: soundConfig, files: map[string]string{".local/state/groat/x": ""}, change: func(home string, _ *doctor.Patient) { chmod(t, filepath.Join(home, ".local/state/groat"), 0o755) }}, "access", "warning", 0},
		{"tokens of aws login", machine{config: soundConfig, files: map[string]string{".aws/login/cache/a.json": `{"accessToken":{"secretAccessKey":"s"},"refreshToken":"r"}`}}, "plaintext-cache", "warning", 0},
		{"tokens of aws sso login", machine{config: soundConfig, files: map[string]string{".aws/sso/cache/a.json": `{"accessToken":"t","expiresAt":"` + future + `"}`}}, "plaintext-cache", "warning", 0},
		{"sessions of the AWS CLI", machine{config: soundConfig, files: map[string]string{".aws/cli/cache/a.json": `{"Credentials":{"SecretAccessKey":"s","Expiration":"` + future + `"}}`}}, "plaintext-cache", "warning", 0},

		{"a setting that nobody knows", machine{config: soundConfig, files: map[string]string{".config/groat/config.json": `{"bakend":"file"}`}}, "settings", "error", 0},
		{"settings that are not JSON", machine{config: soundConfig, files: map[string]string{".config/groat/config.json": "{"}}, "settings", "error", 0},
		{"a setting of the environment", with("GROAT_PROMPT=telepathy"), "settings", "error", 0},
		{"a variable misspelt", with("GROAT_BAKEND=file"), "unread-variable", "warning", 0},
		{"a variable of aws-vault", with("AWS_SESSION_TOKEN_TTL=1h"), "unread-variable", "warning", 0},
		{"keys in the environment", with("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE"), "environment-key", "warning", 0},
		{"a shell that has ended", with("AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE", "GROAT_PROFILE=dev", "AWS_CREDENTIAL_EXPIRATION="+past), "environment-expired", "error", 0},
		{"AWS_PROFILE misspelt", with("AWS_PROFILE=devv"), "unknown-profile", "error", 0},
		{"two profiles", with("AWS_PROFILE=dev", "AWS_DEFAULT_PROFILE=base"), "environment", "warning", 0},
		{"a stray role", with("AWS_ROLE_ARN=arn:aws:iam::123456789012:role/x"), "environment", "warning", 0},
		{"a token file without a role", with("AWS_WEB_IDENTITY_TOKEN_FILE=/nonexistent"), "environment", "warning", 0},
		{"a token file that is not there", with("AWS_WEB_IDENTITY_TOKEN_FILE=/nonexistent", "AWS_ROLE_ARN=arn:aws:iam::123456789012:role/x"), "missing-file", "error", 0},
		{"two regions", with("AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=us-east-1"), "environment", "warning", 0},
		{"a region with blanks", with("AWS_REGION=eu west 1"), "environment", "error", 0},
		{"a device that is none", with("AWS_MFA_SERIAL=my phone"), "environment", "error", 0},
		{"an endpoint that is not encrypted", with("AWS_ENDPOINT_URL_STS=http://sts.example"), "endpoint", "error", 0},
		{"a bundle that is not there", with("AWS_CA_BUNDLE=/nonexistent.pem"), "missing-file", "error", 0},
		{"no way to ask", with("GROAT_PROMPT=none"), "no-prompt", "error", 0},
		{"questions forbidden by config.json", machine{config: soundConfig, files: map[string]string{".config/groat/config.json": `{"no-input":true}`}}, "no-prompt", "error", 0},
		{"an agent and an administrator", machine{config: soundConfig + "[default]\nrole_arn = arn:aws:iam::123456789012:role/Admin\nsource_profile = base\n", env: []string{"CLAUDECODE=1"}}, "agent-admin", "warning", 8},

		{"a backend that does not open", kept(func(_ string, p *doctor.Patient) { p.Vaults["pass"], p.Lost = vault.ErrUnavailable, true }), "backend", "error", 0},
		{"a locked store", kept(func(_ string, p *doctor.Patient) { p.Vaults["secret-service"], p.Lost = vault.ErrLocked, true }), "locked", "warning", 0},
		{"a wrong passphrase", kept(func(_ string, p *doctor.Patient) { p.Vaults["file"] = vault.ErrPassphrase }), "passphrase", "error", 0},
		{"a key that is gone", kept(func(_ string, p *doctor.Patient) { p.Records = map[string]string{"prod": "file"} }), "lost-key", "error", 0},
		{"an old key", kept(func(_ string, p *doctor.Patient) { p.Now = p.Now.Add(100 * 24 * time.Hour) }), "old-key", "warning", 0},
		{"a damaged card", kept(func(_ string, p *doctor.Patient) { p.Damaged = []error{vault.ErrCorrupt} }), "damaged-item", "error", 0},
		{"a clock that is wrong", kept(func(_ string, p *doctor.Patient) { p.Clock = &doctor.Clock{Skew: -10 * time.Minute} }), "clock", "error", 0},
		{"a clock that will be wrong", kept(func(_ string, p *doctor.Patient) { p.Clock = &doctor.Clock{Skew: 2 * time.Minute} }), "clock", "warning", 0},
		{"AWS out of reach", kept(func(_ string, p *doctor.Patient) { p.Clock = &doctor.Clock{Err: errors.New("no route")} }), "aws-unreachable", "error", 0},
	}
	if len(cases) < 40 {
		t.Errorf("only %d mistakes", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := c.m.examine(t)
			for _, f := range found {
				checkRemedy(t, f.Remedy)
			}
			at := slices.IndexFunc(found, func(f doctor.Finding) bool {
				return f.Check == c.check && f.Severity == c.severity && (c.line == 0 || f.Line == c.line && strings.HasSuffix(f.File, "config"))
			})
			if at < 0 {
				t.Errorf("no finding %s, %s, line %d, in %+v", c.check, c.severity, c.line, found)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// chmodReload has the configuration read again after a chmod.
func chmodReload(t *testing.T, p *doctor.Patient, path string, mode fs.FileMode) {
	t.Helper()
	chmod(t, path, mode)
	a := newApp([]string{"AWS_CONFIG_FILE=" + path}, Streams{})
	p.Config, p.ConfigErr = a.aws.config()
}

// checkRemedy runs a remedy through groat's parser, or through the shell: the
// editor of these tests is true, and what asks the system is only parsed.
func checkRemedy(t *testing.T, remedy string) {
	t.Helper()
	word, _, _ := strings.Cut(remedy, " ")
	switch word {
	case "groat":
		if checkCommands(t, "remedy", "`"+remedy+"`", false) == 0 {
			t.Errorf("no command in %q", remedy)
		}
	case "unset", "exit", "rm", "chmod", "true":
		if out, err := exec.CommandContext(t.Context(), "sh", "-c", remedy).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", remedy, err, out)
		}
	case "sudo":
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", "-c", remedy).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", remedy, err, out)
		}
	default:
		t.Errorf("%q is not a command", remedy)
	}
}

// Sound configurations have no finding: every pair and triple of the pieces,
// in the forms that people write them.
func TestDoctorLeavesSoundConfigsAlone(t *testing.T) {
	pieces := []string{
		"[default]\nregion = eu-west-1\noutput = json\n",
		"[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/path/ops\nsource_profile = base\nexternal_id = abc\nrole_session_name = me\nduration_seconds = 3600\n",
		"[profile chain]\nrole_arn = arn:aws:iam::210987654321:role/chain\nsource_profile = dev\nregion = eu-central-1\n\n[profile gov]\nrole_arn = arn:aws-us-gov:iam::210987654321:role/gov\ncredential_source = Ec2InstanceMetadata\nregion = us-gov-west-1\n",
		"[profile common]\nregion = ap-southeast-2\nexternal_id = shared\n[profile inc]\ninclude_profile = common\nrole_arn = arn:aws:iam::123456789012:role/inc\nsource_profile = base\n",
		"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start#/\nsso_registration_scopes = sso:account:access\n[profile sso]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Developer\n",
		"[profile legacy]\nsso_start_url = https://corp.example/start\nsso_region = us-east-1\nsso_account_id = 012345678901\nsso_role_name = readOnly\nregion = us-west-2\n",
		"[profile vendor]\ncredential_process = /bin/echo --json x\n",
		"[profile done]\nregion = eu-west-1\ncredential_process = groat credential-process done-groat\n[profile done-groat]\nrole_arn = arn:aws:iam::123456789012:role/done\nsource_profile = base\n",
		"[profile alias]\ncredential_process = groat credential-process dev\n",
		"[services local]\nsts =\n  endpoint_url = http://127.0.0.1:4566\ns3 =\n  endpoint_url = https://minio.example\n[profile local]\nservices = local\nregion = local\nrole_arn = arn:aws:iam::123456789012:role/l\nsource_profile = base\n",
		"[profile s3]\nregion = us-east-1\ns3 =\n  max_concurrent_requests = 20\n  addressing_style = path\ncli_pager =\nretry_mode = adaptive\nmax_attempts = 5\ntcp_keepalive = true\n",
		"[profile tagged] # team\nrole_arn: arn:aws:iam::123456789012:role/t\nsource_profile: base\nsession_tags = team=a,project=b\ntransitive_session_tags = team\nsource_identity = alice\nmfa_process = /bin/echo 123456\n",
		"[profile \"my team\"]\nREGION = eu-west-1\n; a comment\n[preview]\ncloudfront = true\n[plugins]\nendpoint = awscli_plugin_endpoint\n",
		"[profile hw]\nmfa_serial = GAHT12345678\nrole_arn = arn:aws:iam::123456789012:role/hw\nsource_profile = base\nsts_regional_endpoints = regional\nuse_fips_endpoint = False\n",
		"[profile narrow]\nrole_arn = arn:aws:iam::123456789012:role/n\nsource_profile = base\npolicy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess\npolicy = {\"Version\":\"2012-10-17\",\"Statement\":[]}\n",
	}
	credentials := []string{"", "[tmp]\naws_access_key_id = ASIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\naws_session_token = t\n"}
	var configs []machine
	for i := range pieces {
		for j := i; j < len(pieces); j++ {
			for n, text := range []string{pieces[i] + pieces[j], strings.ReplaceAll(soundConfig, "\n", "\r\n") + pieces[j] + pieces[i]} {
				if i == j {
					text = strings.Replace(text, pieces[i], "", 1)
				}
				if n == 0 {
					text = soundConfig + text
				}
				configs = append(configs, machine{config: text, credentials: credentials[(i+j)%2]})
			}
		}
	}
	env := [][]string{nil, {"AWS_PROFILE=dev"}, {"AWS_REGION=eu-west-1", "AWS_DEFAULT_REGION=eu-west-1"}, {"CLAUDECODE=1"}, {"AWS_ENDPOINT_URL_STS=http://localhost:4566"}}
	for i, m := range configs {
		m.env, m.sound = env[i%len(env)], true
		if found := m.examine(t); len(found) > 0 {
			t.Fatalf("%+v in:\n%s", found, m.config)
		}
	}
	t.Logf("%d sound configurations", len(configs))
	if len(configs) < 200 {
		t.Errorf("only %d configurations", len(configs))
	}
}

// The whole command: JSON of the promised form, the exit codes, and nothing
// changed, asked or sent, though the vault's passphrase is at hand.
func TestDoctor(t *testing.T) {
	a := startAWS(t)
	env := a.environment(t)
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	calls := a.Calls()
	before := tree(t, homeOf(env))
	r := runMain(t, env, "", "doctor", "--json")
	if r.code != 0 || r.stdout != "{\n  \"findings\": []\n}\n" || r.stderr != "" {
		t.Errorf("%+v", r)
	}
	config := filepath.Join(homeOf(env), ".aws", "config")
	if err := os.WriteFile(config, []byte(awsConfigOfThePeers+"[profile x]\nregion = eu-west1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before[config] = awsConfigOfThePeers + "[profile x]\nregion = eu-west1\n"
	r = runMain(t, with(env, "AWS_PROFILE=nobody"), "", "doctor", "--json")
	var d struct {
		Findings []map[string]any `json:"findings"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil || r.code != exitFound || len(d.Findings) != 2 {
		t.Fatalf("%v: %+v", err, r)
	}
	f := d.Findings[1]
	if f["check"] != "bad-value" || f["profile"] != "x" || f["file"] != config || f["line"] != 12.0 || f["severity"] != "error" || f["message"] == "" || f["remedy"] == "" || len(f) != 7 {
		t.Errorf("%+v", f)
	}
	if r := runMain(t, env, "", "doctor"); r.code != exitFound || !strings.Contains(r.stdout, config+":12: ") || !strings.Contains(r.stderr, "1 finding\n") {
		t.Errorf("%+v", r)
	}
	if got := fmt.Sprint(a.Calls()); got != fmt.Sprint(calls) {
		t.Errorf("something was sent: %s, before: %v", got, calls)
	}
	if after := tree(t, homeOf(env)); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("changed from\n%v\nto\n%v", before, after)
	}
	unused := awsiam.NewFromConfig(awssdk.Config{Region: "us-east-1", BaseEndpoint: awssdk.String(a.URL), Credentials: credentials.NewStaticCredentialsProvider(a.key.ID, a.key.Secret, "")})
	for _, name := range []string{"myusername-2", "somebody"} {
		if _, err := unused.CreateVirtualMFADevice(t.Context(), &awsiam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if r := runMain(t, env, "", "doctor", "--online"); r.code != exitFound || !strings.Contains(r.stdout, "mfa/myusername-2 was created and never enabled\n  groat mfa remove default --mfa-serial arn:aws:iam::123456789012:mfa/myusername-2\n") || strings.Contains(r.stdout, "somebody") {
		t.Errorf("an unused device: %+v", r)
	}
	a.SetSkew(10 * time.Minute)
	if r := runMain(t, env, "", "doctor", "--online", "--json"); r.code != exitFound || !strings.Contains(r.stdout, `"clock"`) {
		t.Errorf("with a wrong clock: %+v", r)
	}
}

// A copy of the header that is no good is found and not mended, even where the
// passphrase is at hand; who opens the vault then mends it.
func TestDoctorFindsTheDamagedHeader(t *testing.T) {
	for _, name := range []string{"header", "header.bak"} {
		home, environ := storedBefore(t, "1")
		environ = append(environ, "GROAT_BACKEND=file")
		writeFile(t, filepath.Join(home, ".local/share/groat/vault", name), "damaged")
		before := tree(t, home)
		r := runMain(t, environ, "", "doctor", "--json")
		if r.code != exitFound || !strings.Contains(r.stdout, `"header"`) || !strings.Contains(r.stdout, `"groat unlock"`) {
			t.Errorf("%s: %+v", name, r)
		}
		if after := tree(t, home); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: doctor changed something", name)
		}
		mustRun(t, environ, "", "list")
		if r := runMain(t, environ, "", "doctor", "--json"); strings.Contains(r.stdout, `"header"`) {
			t.Errorf("%s is not mended: %+v", name, r)
		}
	}
}

// A session bus that is named and does not answer is found, where groat would
// use it.
func TestDoctorFindsTheDeadBus(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no session bus here")
	}
	_, environ := storedBefore(t, "1")
	if r := runMain(t, environ, "", "doctor"); r.code != exitFound || !strings.Contains(r.stdout, "session bus") || !strings.Contains(r.stdout, "\n  unset DBUS_SESSION_BUS_ADDRESS\n") {
		t.Errorf("%+v", r)
	}
	if r := runMain(t, append(environ, "GROAT_BACKEND=file"), "", "doctor"); strings.Contains(r.stdout, "session bus") {
		t.Errorf("the file vault needs no bus: %+v", r)
	}
}

// tree is what a folder holds, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			all[path] = d.Type().String()
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

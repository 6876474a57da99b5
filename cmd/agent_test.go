package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const agentConfig = `[default]
region = eu-west-1
mfa_serial = arn:aws:iam::123456789012:mfa/myusername
[profile open]
role_arn = arn:aws:iam::123456789012:role/readonly-role
source_profile = default
[profile named]
role_arn = arn:aws:iam::123456789012:role/readonly-role
source_profile = default
role_session_name = mine
[profile looking]
role_arn = arn:aws:iam::123456789012:role/admin-role
source_profile = default
agent = read-only
[profile closed]
role_arn = arn:aws:iam::123456789012:role/admin-role
source_profile = default
agent = deny
[profile base]
source_profile = default
agent = read-only
[profile above]
role_arn = arn:aws:iam::123456789012:role/admin-role
source_profile = closed
[profile asked]
role_arn = arn:aws:iam::123456789012:role/admin-role
source_profile = default
agent = ask
[profile wrong]
source_profile = default
agent = perhaps
`

// What an agent gets is narrowed, named and kept apart from what a person gets.
func TestAgents(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	if err := os.WriteFile(filepath.Join(homeOf(environ), ".aws", "config"), []byte(agentConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin", "--no-config")
	environ = with(environ, "GROAT_PROMPT=none")
	mustRun(t, environ, "", "credential-process", "default", "--mfa-code", world.device.FreshCode())
	keys := map[string]string{} // by key ID: for whom
	for _, run := range []struct {
		profile, agent string
		code           int
		session        string // of the call that was made
		policies       string
		says           string
	}{
		{"open", "", 0, "myusername", "", ""},
		{"open", "CLAUDECODE=1", 0, "claude-myusername", "", ""},
		{"open", "CODEX_THREAD_ID=t", 0, "codex-myusername", "", ""},
		{"open", "AI_AGENT=Claude Code@2 \x1b[1m" + strings.Repeat("x", 80), 0, "claudecode@21mxxxxxxxxxxxxxxxxxx-myusername", "", ""},
		{"named", "GEMINI_CLI=1", 0, "mine", "", ""},
		{"looking", "", 0, "myusername", "", ""},
		{"looking", "CURSOR_AGENT=1", 0, "cursor-myusername", "arn:aws:iam::aws:policy/ReadOnlyAccess", ""},
		{"closed", "", 0, "", "", ""}, // the cached ones of looking: the same request
		{"closed", "KIRO_SESSION_ID=1", exitNoCode, "", "", "agent = deny"},
		{"above", "OPENCODE=1", exitNoCode, "", "", "agent = deny"},
		{"base", "AMP_CURRENT_THREAD_ID=1", exitConfig, "", "", "assumes no role"},
		{"base", "", 0, "", "", ""},
		{"asked", "COPILOT_CLI=1", exitNoCode, "", "", "nobody has"},
		{"wrong", "", exitConfig, "", "", "write one of allow, ask, read-only, deny"},
	} {
		world.ResetCalls()
		environ := environ
		if run.agent != "" {
			environ = with(environ, run.agent)
		}
		r := runMain(t, environ, "", "credential-process", run.profile)
		if r.code != run.code || !strings.Contains(r.stderr, run.says) || (r.code != 0) != (r.stdout == "") {
			t.Errorf("%s %s: %+v", run.profile, run.agent, r)
		}
		calls := world.Calls()
		if want := map[bool]int{true: 1}[run.session != ""]; len(calls) != want {
			t.Fatalf("%s %s: calls %v", run.profile, run.agent, calls)
		}
		if len(calls) == 1 && (calls[0].SessionName != run.session || strings.Join(world.SessionPolicies(calls[0].Issued), " ") != run.policies) {
			t.Errorf("%s %s: session name %q, policies %q", run.profile, run.agent, calls[0].SessionName, world.SessionPolicies(calls[0].Issued))
		}
		if r.code != 0 {
			continue
		}
		var c processOutput
		if err := json.Unmarshal([]byte(r.stdout), &c); err != nil {
			t.Fatal(err)
		}
		if other, met := keys[c.AccessKeyID]; met && other != run.agent {
			t.Errorf("%s %q has what %q was given", run.profile, run.agent, other)
		}
		keys[c.AccessKeyID] = run.agent
	}
	policy := `{"Version":"2012-10-17","Statement":[]}`
	for _, c := range []struct {
		words []string
		code  int
		calls string
	}{
		{[]string{"--policy", policy}, 0, "sts:GetScopedCredentials"}, // the role's is cached
		{[]string{"--policy-arn", "arn:aws:iam::aws:policy/AdministratorAccess"}, exitUsage, ""},
	} {
		world.ResetCalls()
		r := runMain(t, with(environ, "CURSOR_AGENT=1"), "", append([]string{"credential-process", "looking"}, c.words...)...)
		if names := strings.Join(world.Names(), " "); r.code != c.code || names != c.calls {
			t.Errorf("%q: %+v, calls %s", c.words, r, names)
		} else if r.code == 0 {
			call := world.Calls()[0]
			got := strings.Join(world.SessionPolicies(call.Issued), " ")
			if got != "arn:aws:iam::aws:policy/ReadOnlyAccess "+policy || !strings.Contains(call.Description, "agent cursor") {
				t.Errorf("narrowed to %s, described as %q", got, call.Description)
			}
		}
	}
	mustRun(t, environ, world.device.Secret, "mfa", "seed", "default", "--stdin")
	for profile, c := range map[string]struct {
		code int
		says string
	}{
		"open":    {0, ""},
		"closed":  {exitNoCode, "agent = deny"},
		"looking": {exitNoCode, "agent = read-only"},
		"base":    {exitConfig, "assumes no role"},
		"asked":   {exitNoCode, "nobody has"},
	} {
		for _, agent := range []string{"CLAUDECODE=1", ""} {
			r := runMain(t, with(environ, agent), "", "mfa", "code", profile)
			if agent == "" {
				c.code, c.says = 0, ""
			}
			if r.code != c.code || !strings.Contains(r.stderr, c.says) || (r.code == 0) != (len(r.stdout) == 7) {
				t.Errorf("mfa code %s %s: %+v", profile, agent, r)
			}
		}
	}
	explained := mustRun(t, with(environ, "CLAUDECODE=1"), "", "explain", "looking").stdout
	if !strings.Contains(explained, "AI agent claude: agent = read-only") || !strings.Contains(explained, "policy/ReadOnlyAccess") || !strings.Contains(explained, "as claude-myusername") {
		t.Errorf("%s", explained)
	}
	if text := mustRun(t, with(environ, "CLAUDECODE=1"), "", "explain", "closed").stdout; !strings.Contains(text, "nothing is handed out") {
		t.Errorf("%s", text)
	}
}

// config.json says what agents may where a profile does not; the environment
// comes before it, as with every setting.
func TestAgentsByDefault(t *testing.T) {
	world := startAWS(t)
	environ := with(world.environment(t), "GROAT_PROMPT=none", "CLAUDECODE=1")
	dir := filepath.Join(homeOf(environ), ".config", "groat")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config.json")
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin")
	mustRun(t, environ, "", "credential-process", "readonly", "--mfa-code", world.device.FreshCode())
	for _, c := range []struct {
		text string
		env  string
		code int
	}{
		{`{"agent":"deny"}`, "", exitNoCode},
		{`{"agent":"deny"}`, "GROAT_AGENT=allow", 0},
		{`{"agent":"maybe"}`, "", exitConfig},
		{`{"agent":"maybe"}`, "CLAUDECODE=", 0}, // nobody it would count for
		{`{}`, "GROAT_AGENT=maybe", exitUsage},
		{`{}`, "", 0},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := runMain(t, with(environ, c.env), "", "credential-process", "readonly"); r.code != c.code && (c.env != "CLAUDECODE=" || r.code != exitNoCode || strings.Contains(r.stderr, "maybe")) {
			t.Errorf("%s %s: %+v", c.text, c.env, r)
		}
	}
}

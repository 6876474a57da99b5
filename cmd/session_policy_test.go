package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The flags reach AWS from a file and from the line, narrow for every command
// alike, and what cannot be narrowed ends before anything is sent.
func TestPolicyFlags(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin", "--mfa-serial", "none")
	const policy, readOnly = `{"Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`, "arn:aws:iam::aws:policy/ReadOnlyAccess"
	file := filepath.Join(t.TempDir(), "policy.json")
	pretty := strings.ReplaceAll(policy, ",", strings.Repeat(" ", 1000)+",\n\t") // too long but for its blanks
	if err := os.WriteFile(file, []byte(pretty), 0o600); err != nil {
		t.Fatal(err)
	}
	keyID := func(words ...string) string {
		t.Helper()
		var out struct {
			AccessKeyID string `json:"AccessKeyId"`
			Credentials struct {
				AccessKeyID, SecretAccessKey, SessionToken, Expiration string
			}
		}
		text := mustRun(t, environ, "", words...).stdout
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(words, "sts") && (out.Credentials.SecretAccessKey == "" || out.Credentials.SessionToken == "" || !strings.HasSuffix(out.Credentials.Expiration, "Z")) {
			t.Errorf("%v: %s", words, text)
		}
		return out.AccessKeyID + out.Credentials.AccessKeyID
	}
	narrowed := keyID("credential-process", "default", "--policy", file)
	if got := world.SessionPolicies(narrowed); !slices.Equal(got, []string{policy}) {
		t.Errorf("narrowed to %q", got)
	}
	if again := keyID("export", "default", "--format", "sts", "--policy", policy); again != narrowed {
		t.Error("the same policy is other credentials when it stands on the line")
	}
	if whole := keyID("credential-process", "default"); world.SessionPolicies(whole) != nil {
		t.Error("without a policy the credentials are narrowed")
	}
	if list := mustRun(t, environ, "", "list", "--json").stdout; !strings.Contains(list, `"kind": "scoped"`) {
		t.Errorf("list: %s", list)
	}
	if text := mustRun(t, environ, "", "explain", "default", "--policy", file).stdout; !strings.Contains(text, "2. GetScopedCredentials in ") || !strings.Contains(text, "narrowed to "+policy) {
		t.Errorf("explain: %s", text)
	}
	if text := mustRun(t, environ, "", "explain", "readonly", "--json", "--policy-arn", readOnly, "--policy-arn", readOnly+"2").stdout; !strings.Contains(text, readOnly+`2"`) || !strings.Contains(text, `"policy": null`) {
		t.Errorf("explain: %s", text)
	}

	world.ResetCalls()
	for says, words := range map[string][]string{
		"assumes no role":    {"default", "--policy-arn", readOnly},
		"with --no-session":  {"default", "--no-session", "--policy", policy},
		"is not valid JSON":  {"readonly", "--policy", "{"},
		"could not read":     {"readonly", "--policy", file + "x"},
		"'\u20ac' (U+20AC)":  {"readonly", "--policy", `{"Sid":"€"}`},
		"characters without": {"readonly", "--policy", `{"Sid":"` + strings.Repeat("x", 2048) + `"}`},
		"is not the ARN":     {"readonly", "--policy-arn", "ReadOnlyAccess"},
		"is given 11 times":  {"readonly", "--policy-arn", strings.Repeat(readOnly+",", 10) + readOnly},
	} {
		if r := runMain(t, environ, "", append([]string{"credential-process"}, words...)...); r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, says) {
			t.Errorf("%v: exit code %d, %s", words, r.code, r.stderr)
		}
	}
	if len(world.Calls()) > 0 {
		t.Errorf("calls %v", world.Names())
	}

	// Where nobody can be asked, the command to run has them too, once.
	a := newApp(environ, Streams{})
	if _, err := a.parse([]string{"exec", "readonly", "--policy-arn", readOnly, "--policy-arn", readOnly + "2"}); err != nil {
		t.Fatal(err)
	}
	if want := []given{{"--policy-arn=" + readOnly + "," + readOnly + "2", true}}; !slices.Equal(a.prompts.given, want) {
		t.Errorf("given: %v, want %v", a.prompts.given, want)
	}
}

package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groat/provider/ststest"
)

// What a config file brings along must not reach a terminal, and a program
// must read exactly what stands there.
func TestInvisibleCharactersInJSON(t *testing.T) {
	for _, name := range []string{"admin", "größe", "e\x1b[31mvil", "bidi\u202e", "c1\u009b2J", "tag\U000e0041", "\u007f", "a\u00ad<&>"} {
		var out strings.Builder
		if err := writeJSON(&out, map[string]string{"name": name}, true); err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back["name"] != name {
			t.Errorf("%q became %q, %v", name, back["name"], err)
		}
		if strings.ContainsFunc(strings.ReplaceAll(out.String(), "\n", ""), func(r rune) bool { return r < ' ' || invisible(r) }) {
			t.Errorf("%q is written as %q", name, out.String())
		}
	}
}

// Text of a config file and of AWS is made safe where it leaves, whichever
// error, warning, hint or debug line it is part of.
func TestHostileTextLeavesClean(t *testing.T) {
	const evil = "e\x1b]0;title\x07\x1b[31mvil\u202e\u009b2J"
	srv := startAWS(t)
	environ := append(srv.environment(t), "GROAT_DEBUG=true", "GROAT_NO_INPUT=true")
	config := filepath.Join(homeOf(environ), ".aws", "config")
	keys := "[default]\naws_access_key_id = " + srv.key.ID + "\naws_secret_access_key = " + srv.key.Secret + "\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(config), "credentials"), []byte(keys), 0o600); err != nil {
		t.Fatal(err)
	}
	mentioned := 0
	check := func(r result) {
		t.Helper()
		if strings.Contains(r.stdout+r.stderr, "vil") {
			mentioned++
		}
		for _, text := range []string{r.stdout, r.stderr} {
			if strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || invisible(c) || c == 0x7f }) {
				t.Errorf("%q", text)
			}
		}
	}
	for _, line := range []string{
		"role_arn", "source_profile", "include_profile", "mfa_serial", "endpoint_url", "ca_bundle", "duration_seconds", "external_id", "session_tags",
		"credential_source", "credential_process", "sso_session", "login_session", "region", "policy", "policy_arns", "agent", "confirm", "services",
	} {
		text := "[default]\n[profile " + evil + "]\nrole_arn = arn:aws:iam::123456789012:role/admin-role\nsource_profile = default\n" + line + " = " + evil + "\n"
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, words := range [][]string{{"credential-process", "--no-cache", evil}, {"explain", evil}} {
			check(runMain(t, environ, "", words...))
		}
	}
	if err := os.WriteFile(config, []byte("[default]\nregion = eu-west-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv.Inject(ststest.Fault{Status: 400, Code: evil})
	check(runMain(t, environ, "", "whoami", "--no-cache", "default"))
	if mentioned < 30 {
		t.Errorf("only %d of the runs repeat the text", mentioned)
	}
}

func TestOnScreen(t *testing.T) {
	for in, want := range map[string]string{
		"admin":                    "admin",
		"+   s3 = \x1b[2Jx":        "+   s3 = x",
		"e\x1b[31mvil\trole\u202e": "evil\trole",
		" [profile x]\r":           " [profile x]",
		"größe":                    "größe",
	} {
		if got := onScreen(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

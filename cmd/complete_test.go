package cmd

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groat/vault"
)

func complete(t *testing.T, environ []string, shell string, words ...string) []string {
	t.Helper()
	r := mustRun(t, environ, "", append([]string{"__complete", "--shell", shell, "--"}, words...)...)
	if r.stderr != "" {
		t.Errorf("%q says %q", words, r.stderr)
	}
	var values []string
	for line := range strings.Lines(r.stdout) {
		value, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		values = append(values, value)
	}
	return values
}

func TestComplete(t *testing.T) {
	environ := newAWS().environment(t)
	for _, tt := range []struct {
		words string // a blank at the end: nothing is typed yet
		want  string
	}{
		{"exec ", "admin default readonly"},
		{"exec a", "admin"},
		{"exec -t 123456 r", "readonly"},
		{"exec --region eu-west-1 r", "readonly"},
		{"exec --region=eu-west-1 r", "readonly"},
		{"exec -t123456 r", "readonly"},
		{"--debug exec r", "readonly"},
		{"exec admin ", ":command:3"},
		{"exec admin aws s3", ":command:3"},
		{"exec --nested admin aws s3 ", ":command:4"},
		{"exec admin -- aws ", ":command:4"},
		{"exec -- aws", ":command:3"},
		{"each a* -- aws", ":command:4"},
		{"each adm", "admin"},
		{"each admin r", "readonly"},
		{"remove admin d", "default"},
		{"rm a", "admin"},
		{"whatever a", ""},
		{"version ", ""},
		{"export --form", "--format"},
		{"export --format j", "json"},
		{"export --format=j", "--format=json"},
		{"--backend f", "file"},
		{"--file-dir ", ":files"},
		{"help expo", "export"},
		{"completion ", "bash zsh fish powershell"},
		{"credential-process adm", "admin"},
		{"__", ""},
	} {
		if got := strings.Join(complete(t, environ, "zsh", strings.Split(tt.words, " ")...), " "); got != tt.want {
			t.Errorf("%q completes to %q, want %q", tt.words, got, tt.want)
		}
	}
	// bash breaks words at "=" and ":", and replaces only what follows.
	for _, tt := range []struct {
		words []string
		want  []string
	}{
		{[]string{"export", "--format", "=", "j"}, []string{"json"}},
		{[]string{"export", "--format", "=", ""}, []string{"export-env", "env", "json", "sts", "ini", "fish", "powershell", "cmd"}},
		{[]string{"exec", "--region", "=", "x", "admin", "ls"}, []string{":command:6"}},
	} {
		if got := complete(t, environ, "bash", tt.words...); !slices.Equal(got, tt.want) {
			t.Errorf("%q completes to %q, want %q", tt.words, got, tt.want)
		}
	}
}

// Whatever lies about, completion is silent, quick and starts nothing: no
// vault, no bus, no prompt.
func TestCompleteIsSilent(t *testing.T) {
	environ := append(newAWS().environment(t), "GROAT_BACKEND=secret-service", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")
	home := strings.TrimPrefix(environ[slices.IndexFunc(environ, func(e string) bool { return strings.HasPrefix(e, "HOME=") })], "HOME=")
	state := filepath.Join(home, ".local", "state", "groat")
	if err := os.MkdirAll(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := (&vault.Registry{StateDir: state}).Note("only-a-key", "secret-service"); err != nil {
		t.Fatal(err)
	}
	if got := complete(t, environ, "fish", "exec", "o"); !slices.Equal(got, []string{"only-a-key"}) {
		t.Errorf("a stored key's name: %q", got)
	}
	config := filepath.Join(home, ".aws", "config")
	bad := "[profile a\x1bb]\n[profile ok]\n[profile :files]\n[broken\n"
	if err := os.WriteFile(config, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range complete(t, environ, "fish", "exec", "") {
		if strings.ContainsAny(name, "\x1b") || strings.HasPrefix(name, ":") {
			t.Errorf("%q is offered", name)
		}
	}
	broken := filepath.Join(home, ".config", "groat")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(broken, "config.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	complete(t, environ, "fish", "exec", "")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := mustRun(t, environ, "", "completion", shell); !strings.Contains(r.stdout, "__complete") {
			t.Errorf("%s: %q", shell, r.stdout)
		}
	}
	if r := runMain(t, environ, "", "completion", "csh"); r.code != exitUsage || r.stdout != "" {
		t.Errorf("%+v", r)
	}
}

// What configure made stands behind its role and is nobody's choice.
func TestPickerLeavesHelpersOut(t *testing.T) {
	a := startAWS(t)
	env := a.environment(t)
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	mustRun(t, env, "", "configure", "admin")
	picking := newApp(env, Streams{Err: io.Discard})
	defer picking.close()
	picking.cli.Backend = "file"
	names, err := picking.pickable(t.Context())
	if want := []string{"admin", "default", "readonly"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%q, %v", names, err)
	}
}

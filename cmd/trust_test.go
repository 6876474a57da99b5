package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a checked-out one whose AWS config is in use.
func repository(t *testing.T, environ []string, text string) (path string, in []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "it's aws", "config")
	writeFile(t, path, text)
	return path, with(environ, "AWS_CONFIG_FILE="+path)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRepositoryConfigSteersOnlyWhenTrusted(t *testing.T) {
	aws := startAWS(t)
	environ := aws.environment(t)
	mustRun(t, environ, aws.key.ID+" "+aws.key.Secret, "add", "default", "--stdin", "--mfa-serial", "none")
	mark := filepath.Join(t.TempDir(), "ran")
	config := "[default]\nregion = eu-west-1\n[profile evil]\ncredential_process = echo >" + mark + "\n"
	path, in := repository(t, environ, config)

	if r := mustRun(t, in, "", "credential-process", "default"); r.stderr != "" {
		t.Errorf("a profile without such lines: %s", r.stderr)
	}
	refused := func(environ []string, words ...string) {
		t.Helper()
		r := runMain(t, environ, "", words...)
		if r.code != exitConfig || r.stdout != "" || !strings.Contains(r.stderr, path+":4: the line is not trusted") ||
			!strings.Contains(r.stderr, `groat trust '`+strings.ReplaceAll(path, "'", `'\''`)+"'\n") {
			t.Errorf("groat %s: exit code %d, %s%s", strings.Join(words, " "), r.code, r.stdout, r.stderr)
		}
		if _, err := os.Stat(mark); err == nil {
			t.Error("the line was run")
		}
	}
	obeyed := func(environ []string) {
		t.Helper()
		r := runMain(t, environ, "", "credential-process", "evil", "--no-cache")
		if _, err := os.Stat(mark); err != nil || strings.Contains(r.stderr, "trust") {
			t.Errorf("not run: %s", r.stderr)
		}
		_ = os.Remove(mark)
	}
	refused(in, "credential-process", "evil")
	refused(in, "exec", "evil", "--", "true")

	// Looking runs nothing, and says what is not trusted.
	if r := mustRun(t, in, "", "explain", "evil"); !strings.Contains(r.stdout, "note: "+path+":4: the line is not trusted") {
		t.Errorf("explain: %s", r.stdout)
	}
	if r := mustRun(t, in, "", "list"); !strings.Contains(r.stdout, "evil") || r.stderr != "" {
		t.Errorf("list: %s%s", r.stdout, r.stderr)
	}
	mustRun(t, in, "", "configure", "default", "--dry-run")
	mustRun(t, in, aws.key.ID+" "+aws.key.Secret, "add", "evil", "--stdin", "--mfa-serial", "none")
	mustRun(t, in, "", "remove", "evil", "--force")

	// Trusted, with other lines changed, changed itself, and forgotten.
	r := mustRun(t, in, "", "trust")
	if !strings.Contains(r.stderr, path+":4: [profile evil] credential_process = echo >"+mark) {
		t.Errorf("trust: %s", r.stderr)
	}
	obeyed(in)
	if r := mustRun(t, in, "", "trust", "--list"); r.stdout != "1\t"+path+"\n" {
		t.Errorf("list: %q", r.stdout)
	}
	writeFile(t, path, config+"[profile more]\nregion = us-east-1\n")
	obeyed(in)
	writeFile(t, path, config+" && echo more\n")
	refused(in, "credential-process", "evil")
	writeFile(t, path, config)
	mustRun(t, environ, "", "trust", "--forget", path)
	refused(in, "credential-process", "evil")

	// CI names the file, or config.json does; another file's name does not do.
	refused(with(in, "GROAT_TRUST="+path+".other"), "credential-process", "evil")
	obeyed(with(in, "GROAT_TRUST="+path))
	settings := filepath.Join(homeOf(environ), ".config", "groat", "config.json")
	writeFile(t, settings, `{"trust": "`+path+`"}`)
	obeyed(in)
	writeFile(t, settings, `{}`)

	// The credentials file is another such file; the default one is the user's own.
	writeFile(t, path, strings.Replace(config, "[profile evil]", "[evil]", 1))
	refused(with(environ, "AWS_SHARED_CREDENTIALS_FILE="+path), "credential-process", "evil")
	writeFile(t, filepath.Join(homeOf(environ), ".aws", "config"), config)
	obeyed(environ)
	obeyed(with(environ, "AWS_CONFIG_FILE="+filepath.Join(homeOf(environ), ".aws", "config")))
}

package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// logged are the lines of the log since the last call, as a script reads them.
func logged(t *testing.T, environ []string, flags ...string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(mustRun(t, environ, "", append([]string{"log", "--json"}, flags...)...).stdout) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, e)
	}
	return lines
}

// Every hand-out has a line with what was asked, by whom and how it ended, and
// none has a secret.
func TestLog(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin")
	code := world.device.FreshCode()
	before := mustRun(t, environ, "", "credential-process", "readonly", "--mfa-code", code)
	if r := mustRun(t, environ, "", "log"); r.stdout != "" || !strings.Contains(r.stderr, "groat log --on") {
		t.Fatalf("it was off: %+v", r)
	}
	mustRun(t, environ, "", "log", "--on")
	state := newApp(environ, Streams{}).paths.state
	secrets := []string{world.key.Secret, code, "correct horse"}
	for _, run := range []struct {
		words                  []string
		code                   int
		result, profile, agent string
	}{
		{[]string{"credential-process", "readonly"}, 0, logCached, "readonly", ""},
		{[]string{"credential-process", "readonly"}, 0, logMinted, "readonly", "claude"}, // its name is in the session's
		{[]string{"export", "admin", "--format", "json"}, 0, logMinted, "admin", ""},
		{[]string{"whoami", "admin"}, 0, logCached, "admin", ""},
		{[]string{"login", "admin", "--stdout"}, 0, logCached, "admin", ""},
		{[]string{"each", "admin", "readonly", "--", "true"}, 0, logCached, "", ""},
		{[]string{"credential-process", "readonly", "--no-cache"}, exitNoCode, logDeclined, "readonly", "my-agent_1.0"},
		{[]string{"credential-process", "readonly", "--no-cache", "--mfa-code", world.device.WrongCode()}, exitRefused, logRefused, "readonly", ""},
		{[]string{"credential-process", "admin", "--no-session", "--no-cache", "--role-arn", "arn:aws:iam::1:role/x y"}, exitUsage, "", "", ""},
	} {
		from := len(logged(t, environ))
		agent := "X="
		if run.agent == "claude" {
			agent = "CLAUDECODE=1"
		} else if run.agent != "" {
			agent = "AI_AGENT=My-Agent_1.0\x1b"
		}
		r := runMain(t, with(environ, "GROAT_PROMPT=none", "AWS_ENDPOINT_URL_SIGNIN="+world.URL, agent), "", run.words...)
		if r.code != run.code {
			t.Errorf("%q: exit code %d, %s", run.words, r.code, r.stderr)
		}
		lines := logged(t, environ)[from:]
		want := map[bool]int{true: 1}[run.result != ""]
		if run.profile == "" && want > 0 {
			want = 2
		}
		if len(lines) != want {
			t.Fatalf("%q: %d lines, want %d", run.words, len(lines), want)
		}
		for _, e := range lines {
			if got := slices.Sorted(maps.Keys(e)); !slices.Equal(got, []string{"access_key_id", "agent", "caller", "command", "expiration", "profile", "result", "role_arn", "session_name", "time"}) {
				t.Errorf("%q: members %q", run.words, got)
			}
			if e["command"] != run.words[0] || e["result"] != run.result || run.profile != "" && e["profile"] != run.profile ||
				(run.agent != "") != (e["agent"] != nil) || run.agent != "" && e["agent"] != run.agent {
				t.Errorf("%q: %v", run.words, e)
			}
			role := "arn:aws:iam::123456789012:role/" + e["profile"].(string) + "-role"
			if e["role_arn"] != role || e["session_name"] == nil || (e["access_key_id"] != nil) != (run.code == 0) || (e["expiration"] != nil) != (run.code == 0) {
				t.Errorf("%q: %v", run.words, e)
			}
			if at, err := time.Parse(time.RFC3339, e["time"].(string)); err != nil || time.Since(at).Abs() > time.Hour {
				t.Errorf("%q: %v", run.words, e["time"])
			}
			if parent, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", os.Getppid())); err == nil && !strings.HasPrefix(e["caller"].(string), parent) {
				t.Errorf("called by %v, not %s", e["caller"], parent)
			}
		}
	}
	for _, out := range []string{before.stdout, mustRun(t, environ, "", "credential-process", "admin").stdout} {
		var c processOutput
		if err := json.Unmarshal([]byte(out), &c); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, c.SecretAccessKey, c.SessionToken)
	}
	data, err := os.ReadFile(filepath.Join(state, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if secret == "" || strings.Contains(string(data), secret) {
			t.Errorf("a secret is in the log: %q", secret)
		}
	}
	if st, err := os.Stat(filepath.Join(state, "log.jsonl")); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	if n, all := len(logged(t, environ, "--profile", "admin", "--since", "1d")), len(logged(t, environ)); n == 0 || n >= all {
		t.Errorf("%d of %d lines are admin's", n, all)
	}
	if table := mustRun(t, environ, "", "log").stdout; !strings.Contains(table, "role/admin-role (123456789012)") || strings.Count(table, "\n") != len(logged(t, environ))+1 {
		t.Errorf("the table:\n%s", table)
	}
}

// A server's renewals are hand-outs too.
func TestLogOfAServer(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin")
	mustRun(t, environ, "", "credential-process", "admin", "--mfa-code", world.device.FreshCode())
	mustRun(t, environ, "", "log", "--on")
	a := newApp(environ, Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	t.Cleanup(a.close)
	if _, err := a.parse([]string{"serve", "admin"}); err != nil {
		t.Fatal(err)
	}
	if _, err := (served{Profile: "admin"}).refresher(a).Quiet(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines := logged(t, environ); len(lines) != 1 || lines[0]["command"] != "serve" {
		t.Errorf("%v", lines)
	}
}

// The log never keeps anybody from credentials, and what is said of it is true.
func TestLogThatCannotBeWritten(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin")
	mustRun(t, environ, "", "credential-process", "admin", "--mfa-code", world.device.FreshCode())
	mustRun(t, environ, "", "log", "--on")
	path := newApp(environ, Streams{}).paths.requestLog().path()
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if r := mustRun(t, environ, "", "credential-process", "admin"); !strings.Contains(r.stdout, "SessionToken") || !strings.Contains(r.stderr, "could not write to the log") {
		t.Errorf("%+v", r)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	mustRun(t, environ, "", "credential-process", "admin")
	off := mustRun(t, environ, "", "log", "--off").stderr
	mustRun(t, environ, "", "credential-process", "admin")
	if n := len(logged(t, environ)); n != 1 {
		t.Errorf("%d lines are kept", n)
	}
	if runtime.GOOS == "windows" {
		return
	}
	mustRun(t, environ, "", "log", "--on")
	if err := os.Chmod(filepath.Dir(path), 0o777); err != nil { // whoever may write there may put a file in the log's place
		t.Fatal(err)
	}
	r := mustRun(t, environ, "", "credential-process", "admin")
	if !strings.Contains(r.stderr, "could not write to the log ") || !strings.Contains(r.stderr, filepath.Dir(path)) {
		t.Errorf("in a folder of others: %+v", r)
	}
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if n := len(logged(t, environ)); n != 1 {
		t.Errorf("%d lines are kept", n)
	}
	mustRun(t, environ, "", "log", "--off")
	_, remedy, _ := strings.Cut(off, "to delete it: ")
	if out, err := exec.Command("sh", "-c", remedy).CombinedOutput(); err != nil || len(logged(t, environ)) != 0 {
		t.Errorf("%q: %v %s", remedy, err, out)
	}
}

// However many write while the file is moved: each line stays whole, and
// those of the last two files are all there.
func TestLogRotates(t *testing.T) {
	l := requestLog{dir: filepath.Join(t.TempDir(), "state"), limit: 20 << 10}
	if err := l.turn(true); err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 60
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if err := l.append(logEntry{Profile: fmt.Sprintf("%d-%d", w, i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, path := range l.kept() {
		if st, err := os.Stat(path); err != nil || st.Size() > l.limit+10<<10 {
			t.Errorf("%s: %v", path, err)
		}
	}
	entries, damaged, err := l.read()
	seen := map[string]bool{}
	for _, e := range entries {
		seen[e.Profile] = true
	}
	if err != nil || damaged != 0 || len(seen) != len(entries) || len(l.kept()) != 2 || len(entries) < 100 {
		t.Errorf("%d entries, %d damaged, %d files, %v", len(entries), damaged, len(l.kept()), err)
	}
	if err := os.WriteFile(l.path(), []byte("{\"profile\":\"cut o"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, damaged, err := l.read(); err != nil || damaged != 1 {
		t.Errorf("%d damaged, %v", damaged, err)
	}
}

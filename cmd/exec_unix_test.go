//go:build unix

package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groat/provider"
)

// staticConfig is a profile that costs neither vault nor network, so that
// hundreds of runs are quick.
const staticConfig = `[profile static]
region = eu-west-1
aws_access_key_id = ASIAEXAMPLE
aws_secret_access_key = secret
aws_session_token = token
`

// staticEnvironment is a fresh HOME with that profile and little else.
func staticEnvironment(t testing.TB, more ...string) []string {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(staticConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "GROAT_BACKEND=file"}, more...)
}

// runBinary runs the real program.
func runBinary(t testing.TB, environ []string, words ...string) (result, syscall.WaitStatus) {
	t.Helper()
	c := exec.CommandContext(t.Context(), groatBinary(t), words...)
	c.Env = environ
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}, c.ProcessState.Sys().(syscall.WaitStatus)
}

// The ways in which exec runs a command; all of them are transparent.
var execWays = [][]string{{}, {"--server"}, {"--imds"}}

func TestExecPassesAllExitCodes(t *testing.T) {
	t.Parallel()
	environ := staticEnvironment(t)
	for _, way := range execWays {
		t.Run(strings.Join(way, " "), func(t *testing.T) {
			loop := `i=0; while [ $i -le 255 ]; do
				"$0" exec "$@" static -- sh -c "exit $i"; got=$?
				[ $got = $i ] || echo "exit $i became $got"
				i=$((i+1))
			done`
			c := exec.CommandContext(t.Context(), "sh", append([]string{"-c", loop, groatBinary(t)}, way...)...)
			c.Env = environ
			if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// Whoever waits for groat sees the death that the command died.
func TestExecPassesDeathBySignal(t *testing.T) {
	environ := staticEnvironment(t)
	noDeath := []syscall.Signal{
		syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGURG, syscall.SIGWINCH,
	}
	for _, way := range execWays {
		for sig := syscall.Signal(1); sig < 32; sig++ {
			if slices.Contains(noDeath, sig) {
				continue
			}
			words := slices.Concat([]string{"exec"}, way, []string{"static", "--", "sh", "-c", fmt.Sprintf("ulimit -c 0; kill -%d $$", int(sig))})
			r, status := runBinary(t, environ, words...)
			if !status.Signaled() || status.Signal() != sig {
				t.Errorf("%v %s: %+v, signaled %v by %v", way, sig, r, status.Signaled(), status.Signal())
			}
			if r.stderr != "" {
				t.Errorf("%v %s: stderr %q", way, sig, r.stderr)
			}
		}
	}
}

// nohup and a script's background jobs: what groat was told to ignore, the
// command ignores as well, and a death of that signal is still told.
func TestExecKeepsIgnoredSignals(t *testing.T) {
	environ := staticEnvironment(t)
	run := func(words ...string) (string, int) {
		t.Helper()
		c := exec.CommandContext(t.Context(), "sh", slices.Concat([]string{"-c", `trap '' HUP INT; exec "$0" "$@"`, groatBinary(t)}, words)...)
		c.Env = environ
		out, _ := c.Output()
		return string(out), c.ProcessState.ExitCode()
	}
	for _, way := range execWays {
		words := slices.Concat([]string{"exec"}, way, []string{"static", "--", "sh", "-c", "kill -HUP $$; kill -INT $$; echo alive"})
		if out, code := run(words...); out != "alive\n" || code != 0 {
			t.Errorf("%v: %q, exit code %d", way, out, code)
		}
	}
	if runtime.GOOS != "linux" { // other env(1)s cannot undo an ignored signal
		return
	}
	out, code := run("exec", "--server", "static", "--", "env", "--default-signal=HUP", "sh", "-c", "kill -HUP $$; echo alive")
	if out != "" || code != 128+int(syscall.SIGHUP) {
		t.Errorf("killed by an ignored signal: %q, exit code %d", out, code)
	}
}

func TestExecWhatCannotRun(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	plain := write("plain", "x", 0o600)
	interpreter := write("interpreter", "#!/nonexistent/sh\n", 0o700)
	binary := write("binary", "\x7fELF\x00garbage", 0o700)
	script := write("script", "echo script $0 \"$@\"; exit 5\n", 0o700)
	environ := staticEnvironment(t)
	environ[1] += string(os.PathListSeparator) + dir
	for _, way := range execWays {
		for _, tt := range []struct {
			words  []string
			code   int
			stdout string
		}{
			{[]string{"nosuchcommand"}, 127, ""},
			{[]string{dir + "/nosuch"}, 127, ""},
			{[]string{plain}, 126, ""},
			{[]string{"plain"}, 126, ""},
			{[]string{dir}, 126, ""},
			{[]string{interpreter}, 126, ""},
			{[]string{binary}, 126, ""},
			{[]string{script, "-t", "a b"}, 5, "script " + script + " -t a b\n"}, // no #!: sh runs it, as in a shell
		} {
			r, _ := runBinary(t, environ, slices.Concat([]string{"exec"}, way, []string{"static", "--"}, tt.words)...)
			if r.code != tt.code || r.stdout != tt.stdout {
				t.Errorf("%v %q: %+v, want %d %q", way, tt.words, r, tt.code, tt.stdout)
			}
			if tt.stdout == "" && (strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "groat: could not run ")) {
				t.Errorf("%v %q says %q", way, tt.words, r.stderr)
			}
		}
	}
}

// The child's environment, with everything around it real.
func TestExecEnvironmentForReal(t *testing.T) {
	a := startAWS(t)
	environ := a.environment(t)
	mustRun(t, environ, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	mustRun(t, environ, "", "credential-process", "admin", "--mfa-code", a.device.FreshCode())
	parent := append(slices.Clone(environ), "AWS_PROFILE=readonly", "AWS_SESSION_TOKEN=old", "AWS_SECURITY_TOKEN=old",
		"AWS_DEFAULT_REGION=us-west-2", "GROAT_PROFILE=outer", "AWS_VAULT=outer", "AWS_ROLE_SESSION_NAME=x", provider.ProcessChainVariable+"=x")
	r, _ := runBinary(t, parent, "exec", "admin", "--", "env")
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
	got := map[string]string{}
	for line := range strings.Lines(r.stdout) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if _, dup := got[name]; dup {
			t.Errorf("%s appears twice", name)
		}
		got[name] = value
	}
	inherited := map[string]string{}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); name != passphraseVariable {
			inherited[name] = value
		}
	}
	for name, value := range got {
		if inherited[name] == value {
			delete(got, name)
			delete(inherited, name)
		}
	}
	if len(inherited) > 0 {
		t.Errorf("lost: %v", inherited)
	}
	if exp, err := time.Parse("2006-01-02T15:04:05Z", got["AWS_CREDENTIAL_EXPIRATION"]); err != nil || time.Until(exp) > time.Hour {
		t.Errorf("expiration %q", got["AWS_CREDENTIAL_EXPIRATION"])
	}
	for name, prefix := range map[string]string{"AWS_ACCESS_KEY_ID": "ASIA", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_CREDENTIAL_EXPIRATION": "20"} {
		if got[name] == "" || !strings.HasPrefix(got[name], prefix) || got[name] == "old" {
			t.Errorf("%s=%q", name, got[name])
		}
		delete(got, name)
	}
	want := map[string]string{"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "GROAT_PROFILE": "admin", "AWS_VAULT": "admin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A core limit is the child's own affair: it gets what groat was given.
func TestExecGivesTheCoreLimitBack(t *testing.T) {
	for _, way := range execWays {
		loop := `ulimit -S -c "$(ulimit -H -c)" && ulimit -S -c && exec "$0" exec "$@" static -- sh -c 'ulimit -S -c'`
		c := exec.CommandContext(t.Context(), "sh", append([]string{"-c", loop, groatBinary(t)}, way...)...)
		c.Env = staticEnvironment(t)
		out, err := c.CombinedOutput()
		lines := strings.Fields(string(out))
		if err != nil || len(lines) != 2 || lines[0] != lines[1] {
			t.Errorf("%v: %v %q", way, err, out)
		}
	}
}

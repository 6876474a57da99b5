package cmd

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groat/session"
)

var (
	testExpiration  = time.Date(2031, 2, 3, 4, 5, 6, 700, time.FixedZone("CET", 3600))
	testCredentials = session.Credentials{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "se/cr+et==", SessionToken: "to/ken+=", //nolint:gosec // G101: no real credentials
		AccountID: "123456789012", Expiration: testExpiration,
	}
)

// TestHelperPrintEnv is no test: the shells run it to show what reached the
// environment of a child of theirs.
func TestHelperPrintEnv(t *testing.T) {
	file := os.Getenv("GROAT_TEST_PRINT_ENV_TO")
	if file == "" {
		t.Skip("runs as a child of the shell tests only")
	}
	data, err := json.Marshal(os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// requireShell finds a shell; what GROAT_TEST_SHELLS promises must be there.
func requireShell(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("GROAT_TEST_SHELLS"), ","), name) {
		t.Fatalf("GROAT_TEST_SHELLS promises %s: %v", name, err)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// nasty holds everything that means something to some shell.
const nasty = `-a'b''c"d\e\\f$g$(h)` + "`i`" + `!j%k%^l&m|n<o>p;q(r)[s]{t}*u?~v#w x  y=z@,:` + "\t\u2018\u2019\u201a\u201b é 日本 \\'"

// evaluators run a script that was exported and then the helper.
var evaluators = []struct {
	shell, format string
	args          func(script, helper string) []string
}{
	{"sh", "export-env", posixEval}, {"bash", "export-env", posixEval}, {"zsh", "export-env", posixEval},
	{"dash", "export-env", posixEval}, {"ksh", "export-env", posixEval},
	{"fish", "fish", func(script, helper string) []string {
		return []string{"--no-config", "-c", "cat " + script + " | source; " + helper + " '-test.run=^TestHelperPrintEnv$'"}
	}},
	{"pwsh", "powershell", func(script, helper string) []string {
		return []string{"-NoProfile", "-Command", "Get-Content -Raw " + script + " | Invoke-Expression; & " + helper + " '-test.run=^TestHelperPrintEnv$'"}
	}},
}

func posixEval(script, helper string) []string {
	return []string{"-c", `eval "$(cat ` + script + `)"; ` + helper + ` -test.run='^TestHelperPrintEnv$' >/dev/null`}
}

func TestExportIsEvaluatedByTheRealShell(t *testing.T) {
	in := exportInput{
		Profile: "admin", Region: nasty + "\nsecond line\n\n.",
		Credentials: session.Credentials{AccessKeyID: "AKIA", SecretAccessKey: nasty, Expiration: testExpiration},
	}
	parent := []string{"PATH=" + os.Getenv("PATH"), "AWS_SESSION_TOKEN=stale", "AWS_PROFILE=stale"}
	in.Stale = staleVariables(parent, in)
	want := map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": nasty, "AWS_CREDENTIAL_EXPIRATION": "2031-02-03T03:05:06Z",
		"AWS_REGION": in.Region, "AWS_DEFAULT_REGION": in.Region,
	}
	for _, e := range evaluators {
		t.Run(e.shell, func(t *testing.T) {
			shell := requireShell(t, e.shell)
			script, out := filepath.Join(t.TempDir(), "script"), filepath.Join(t.TempDir(), "out")
			text, err := export(e.format, in)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(context.Background(), shell, e.args(script, os.Args[0])...)
			c.Env = append(slices.Clone(parent), "GROAT_TEST_PRINT_ENV_TO="+out, "HOME="+t.TempDir())
			if msg, err := c.CombinedOutput(); err != nil || strings.Contains(string(msg), "not found") {
				t.Fatalf("%v: %s", err, msg)
			}
			if diff := cmp.Diff(want, awsVariables(t, out)); diff != "" {
				t.Errorf("the shell sees other values (-want +got):\n%s", diff)
			}
		})
	}
}

// awsVariables are the AWS_ variables of the environment the helper saw.
func awsVariables(t *testing.T, file string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var environ []string
	if err := json.Unmarshal(data, &environ); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			got[name] = value
		}
	}
	return got
}

// The syntax of cmd.exe runs under wine where GROAT_TEST_SHELLS names cmd.
func TestExportCmd(t *testing.T) {
	if runtime.GOOS != "windows" {
		if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_SHELLS"), ","), "cmd") {
			t.Skip("GROAT_TEST_SHELLS does not name cmd")
		}
		requireShell(t, "wine")
	}
	in := exportInput{Region: "eu west&1", Credentials: session.Credentials{
		AccessKeyID: "ASIA", SecretAccessKey: `a^b&c|d<e>f(g)h'i=j+k/l;m,n o`, SessionToken: "t==", Expiration: testExpiration,
	}}
	in.Stale = []string{"AWS_PROFILE"}
	text, err := export("cmd", in)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bat := filepath.Join(dir, "x.bat")
	text = "@echo off\r\n" + strings.ReplaceAll(text, "\n", "\r\n") + "set AWS_\r\n"
	if err := os.WriteFile(bat, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	argv := []string{"cmd", "/d", "/c", bat}
	if runtime.GOOS != "windows" {
		argv = []string{"wine", "cmd", "/d", "/c", "x.bat"}
	}
	c := exec.CommandContext(context.Background(), argv[0], argv[1:]...)
	c.Dir = dir
	c.Env = append(slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "AWS_") || strings.HasPrefix(e, "DISPLAY=") }),
		"AWS_PROFILE=stale", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "WINEPREFIX="+filepath.Join(dir, "wine"))
	out, err := c.Output()
	if runtime.GOOS != "windows" {
		end := exec.CommandContext(context.Background(), "wineserver", "-k", "-w")
		end.Env = c.Env
		_ = end.Run()
	}
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(string(out), "\r", ""), " ", "·"))
	want := []string{
		"AWS_ACCESS_KEY_ID=ASIA", "AWS_CREDENTIAL_EXPIRATION=2031-02-03T03:05:06Z", "AWS_DEFAULT_REGION=eu·west&1",
		"AWS_REGION=eu·west&1", "AWS_SECRET_ACCESS_KEY=a^b&c|d<e>f(g)h'i=j+k/l;m,n·o", "AWS_SESSION_TOKEN=t==",
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cmd.exe sees other values (-want +got):\n%s", diff)
	}
}

func TestExportFormatsTextually(t *testing.T) {
	in := exportInput{Profile: "admin", Region: "eu-west-1", Credentials: testCredentials, Stale: []string{"AWS_PROFILE"}}
	for format, want := range map[string]string{
		"export-env": `unset AWS_PROFILE
export AWS_ACCESS_KEY_ID='ASIAEXAMPLE'
export AWS_SECRET_ACCESS_KEY='se/cr+et=='
export AWS_SESSION_TOKEN='to/ken+='
export AWS_CREDENTIAL_EXPIRATION='2031-02-03T03:05:06Z'
export AWS_REGION='eu-west-1'
export AWS_DEFAULT_REGION='eu-west-1'
`,
		"env": `AWS_ACCESS_KEY_ID=ASIAEXAMPLE
AWS_SECRET_ACCESS_KEY=se/cr+et==
AWS_SESSION_TOKEN=to/ken+=
AWS_CREDENTIAL_EXPIRATION=2031-02-03T03:05:06Z
AWS_REGION=eu-west-1
AWS_DEFAULT_REGION=eu-west-1
`,
		"json": `{
  "Version": 1,
  "AccessKeyId": "ASIAEXAMPLE",
  "SecretAccessKey": "se/cr+et==",
  "SessionToken": "to/ken+=",
  "Expiration": "2031-02-03T03:05:06Z",
  "AccountId": "123456789012"
}
`,
		"ini": `[admin]
aws_access_key_id = ASIAEXAMPLE
aws_secret_access_key = se/cr+et==
aws_session_token = to/ken+=
aws_credential_expiration = 2031-02-03T03:05:06Z
region = eu-west-1
`,
		"fish": `set -e AWS_PROFILE
set -gx AWS_ACCESS_KEY_ID 'ASIAEXAMPLE'
set -gx AWS_SECRET_ACCESS_KEY 'se/cr+et=='
set -gx AWS_SESSION_TOKEN 'to/ken+='
set -gx AWS_CREDENTIAL_EXPIRATION '2031-02-03T03:05:06Z'
set -gx AWS_REGION 'eu-west-1'
set -gx AWS_DEFAULT_REGION 'eu-west-1'
`,
		"powershell": `Remove-Item -ErrorAction Ignore Env:AWS_PROFILE
$env:AWS_ACCESS_KEY_ID = 'ASIAEXAMPLE'
$env:AWS_SECRET_ACCESS_KEY = 'se/cr+et=='
$env:AWS_SESSION_TOKEN = 'to/ken+='
$env:AWS_CREDENTIAL_EXPIRATION = '2031-02-03T03:05:06Z'
$env:AWS_REGION = 'eu-west-1'
$env:AWS_DEFAULT_REGION = 'eu-west-1'
`,
		"cmd": `set "AWS_PROFILE="
set "AWS_ACCESS_KEY_ID=ASIAEXAMPLE"
set "AWS_SECRET_ACCESS_KEY=se/cr+et=="
set "AWS_SESSION_TOKEN=to/ken+="
set "AWS_CREDENTIAL_EXPIRATION=2031-02-03T03:05:06Z"
set "AWS_REGION=eu-west-1"
set "AWS_DEFAULT_REGION=eu-west-1"
`,
	} {
		got, err := export(format, in)
		if err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
	if got, err := quotePowerShell("a'b\u2019c"); err != nil || got != "'a''b\u2019\u2019c'" {
		t.Errorf("quotePowerShell = %q, %v", got, err)
	}
}

// What a format cannot carry is refused: half a value would be another
// identity, a line break another variable.
func TestExportRefusesWhatTheFormatCannotHold(t *testing.T) {
	for _, tt := range []struct{ format, value string }{
		{"export-env", "a\x00b"}, {"fish", "a\x00b"}, {"powershell", "\x00"}, {"env", "a\nB=c"}, {"env", "a\rb"},
		{"cmd", `a"b`}, {"cmd", "a%PATH%"}, {"cmd", "a!b"}, {"cmd", "a\nb"}, {"ini", "a\n[other]"}, {"ini", " a"}, {"ini", "a #b"}, {"ini", "a\t;b"}, {"ini", "#ab"},
	} {
		in := exportInput{Profile: "p", Credentials: session.Credentials{AccessKeyID: "a", SecretAccessKey: tt.value, Expiration: time.Now()}}
		got, err := export(tt.format, in)
		if err == nil || got != "" {
			t.Errorf("%s of %q = %q, %v; want an error and nothing else", tt.format, tt.value, got, err)
		} else if strings.TrimSpace(tt.value) != "" && len(tt.value) > 2 && strings.Contains(err.Error(), tt.value) {
			t.Errorf("the error shows the value: %v", err)
		}
	}
	if got, err := exportINI(exportInput{Profile: "a]\n[default"}); err == nil {
		t.Errorf("a section was forged: %q", got)
	}
}

func TestStaleVariables(t *testing.T) {
	parent := []string{"AWS_PROFILE=x", "AWS_PROFILE=y", "AWS_ACCESS_KEY_ID=x", "AWS_CONTAINER_$(id)=x", "AWS_CONTAINER_X=1", "PATH=p", "AWS_REGION=r"}
	got := staleVariables(parent, exportInput{Credentials: testCredentials})
	if want := []string{"AWS_CONTAINER_X", "AWS_PROFILE"}; !slices.Equal(got, want) {
		t.Errorf("stale = %q, want %q", got, want)
	}
}

// FuzzQuote: a quoted word read back by the rules of its shell is the value.
func FuzzQuote(f *testing.F) {
	f.Add(nasty)
	f.Add("''\\'\\\\'\u2018'")
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := quotePOSIX(s); err == nil {
			// Outside the quotes there are only escaped single quotes.
			parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(q, "'"), "'"), `'\''`)
			if strings.Contains(strings.Join(parts, ""), "'") || strings.Join(parts, "'") != s {
				t.Fatalf("POSIX: %q became %q", s, q)
			}
		}
		if q, err := quoteFish(s); err == nil && readFish(q) != s {
			t.Fatalf("fish: %q became %q", s, q)
		}
		if v, err := plainCmd(s); err == nil && strings.ContainsAny(v, "\"\n%!") {
			t.Fatalf("cmd: %q", v)
		}
	})
}

// readFish undoes fish's single quotes; it returns something else than the
// value when the word ends early.
func readFish(q string) string {
	var b strings.Builder
	for i := 1; i < len(q); i++ {
		switch {
		case q[i] == '\'':
			return b.String() + q[i+1:]
		case q[i] == '\\' && i+1 < len(q) && (q[i+1] == '\\' || q[i+1] == '\''):
			i++
		}
		b.WriteByte(q[i])
	}
	return b.String() + "unterminated"
}

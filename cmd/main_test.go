package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"groat/provider/ststest"
	"groat/vault"
)

// TestMain lets the test binary be groat itself: scripts run it under that
// name.
func TestMain(m *testing.M) {
	testscript.Main(tidyM{m}, map[string]func(){
		"groat": func() {
			os.Exit(quickApp(ProcessEnviron(), StandardStreams()).main(context.Background(), os.Args))
		},
	})
}

// tidyM removes the programs that tests built.
type tidyM struct{ *testing.M }

// Run runs the tests.
func (m tidyM) Run() int {
	code := m.M.Run()
	for _, path := range []string{released.path, floor.path, library.path} {
		if path != "" {
			_ = os.RemoveAll(filepath.Dir(path))
		}
	}
	return code
}

// awsConfigOfThePeers is a config as people have it, to be honoured unchanged.
const awsConfigOfThePeers = `[default]
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

// aws is the strict double with the user, device and roles of that config.
type aws struct {
	*ststest.Server
	user   *ststest.User
	key    *ststest.AccessKey
	device *ststest.Device
	proxy  []string // environment that leads to it under AWS's own names, where those are asked for
}

func startAWS(t ststest.TB) *aws {
	t.Helper()
	return startAWSWith(t, ststest.Options{})
}

func startAWSWith(t ststest.TB, o ststest.Options) *aws {
	t.Helper()
	a := newAWSWith(o)
	if err := a.Start(); err != nil {
		t.Fatalf("could not start the AWS double: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

// throughProxy is a double that is reached under AWS's own names.
func throughProxy(t ststest.TB) *aws {
	t.Helper()
	a := startAWSWith(t, ststest.Options{TLS: true})
	proxy, err := a.Proxy()
	if err != nil {
		t.Fatalf("proxy: %v", err)
	}
	ca, err := a.CAFile()
	if err != nil {
		t.Fatalf("certificate: %v", err)
	}
	a.proxy = []string{"HTTPS_PROXY=" + proxy, "SSL_CERT_FILE=" + ca}
	return a
}

func newAWS() *aws { return newAWSWith(ststest.Options{}) }

func newAWSWith(o ststest.Options) *aws {
	srv := ststest.New(o)
	user := srv.AddUser("123456789012", "myusername")
	a := &aws{Server: srv, user: user, key: user.AddAccessKey(), device: user.AddMFA()}
	user.SetPassword("console")
	for _, role := range []string{"readonly-role", "admin-role"} {
		srv.AddRole("arn:aws:iam::123456789012:role/"+role, ststest.RoleOptions{RequireMFA: true, MaxSession: 12 * time.Hour})
	}
	return a
}

// environment is a fresh HOME with that config, the file vault and the double.
func (a *aws) environment(t testing.TB) []string {
	t.Helper()
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(awsConfigOfThePeers), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(a.endpoints(),
		"HOME="+home,
		"PATH="+os.Getenv("PATH"),
		"LANG=C.UTF-8",
		"GROAT_BACKEND=file",
		"GROAT_FILE_PASSPHRASE=correct horse",
	)
}

// homeOf is the HOME of an environment.
func homeOf(environ []string) string {
	for _, kv := range environ {
		if home, ok := strings.CutPrefix(kv, "HOME="); ok {
			return home
		}
	}
	return ""
}

// endpoints is the environment that leads to the double.
func (a *aws) endpoints() []string {
	if a.proxy != nil {
		return slices.Clone(a.proxy)
	}
	return []string{"AWS_ENDPOINT_URL_STS=" + a.URL, "AWS_ENDPOINT_URL_IAM=" + a.URL}
}

// result is what one run of the real Main gave.
type result struct {
	code           int
	stdout, stderr string
}

// quickApp is what Main runs, with file vaults that are cheap to open.
func quickApp(environ []string, streams Streams) *app {
	a := newApp(environ, streams)
	a.leastCost = true
	return a
}

// runMain runs the real Main in this process.
func runMain(t testing.TB, environ []string, stdin string, words ...string) result {
	t.Helper()
	var out, errs strings.Builder
	code := quickApp(environ, Streams{In: strings.NewReader(stdin), Out: &out, Err: &errs}).main(context.Background(), append([]string{"groat"}, words...))
	return result{code, out.String(), errs.String()}
}

// with is environ with other values of some variables.
func with(environ []string, set ...string) []string {
	return slices.Concat(set, environ) // the first of one name counts
}

// mustRun is runMain for what has to work.
func mustRun(t testing.TB, environ []string, stdin string, words ...string) result {
	t.Helper()
	r := runMain(t, environ, stdin, words...)
	if r.code != 0 {
		t.Fatalf("groat %s: exit code %d, stderr: %s", strings.Join(words, " "), r.code, r.stderr)
	}
	return r
}

// TestScripts runs testdata/script/*.txtar, each with a fresh HOME, a double
// of its own and the user's key in key.txt. Beside testscript's own commands
// there are:
//
//	code NAME        puts a token code that was never used into $NAME
//	wrong NAME       puts a token code that is wrong into $NAME
//	calls [OP=N …]   checks the calls made since the last check: sts:AssumeRole=2 …
//	connections N    checks the number of TCP connections made so far
//	deny ACTION…     forbids the user IAM actions
//	device SERIAL    gives the user one more MFA device
//	sessions-outlive lets sessions live on when their key is deactivated
//	old-keys         makes the user and its keys 100 days older
//	no-device        takes all MFA devices from the user
//	web-identity NAME FILE   adds a role for holders of the token that it puts into FILE
//	down             closes the double
//	identity-center  opens an Identity Center with the roles Dev and Ops, and plain-role
//	browser ARN      is who is signed in to the console in the browser
//	aws-login ARN DIR   leaves a sign-in of the AWS CLI in DIR
//	expire           lets all sessions expire at AWS
//	exitcode N CMD…  runs CMD and checks its exit code
//	asked WORD…      wants a call since the last check that the words describe
//	role NAME [WORD] adds a role: external-id=ID, source-identity, tags=A,B
//	require-mfa      denies the user all but enrolment without MFA
//	admin            makes the user an administrator, beside a user bot with a key
//	                 and the role auditor of another account, where there is one user
//	s3               starts an S3 and puts its URL into $S3
//
// The condition [keyring] is that of a kernel keyring that works here,
// [client:NAME] that of a client that GROAT_TEST_CLIENTS promises.
func TestScripts(t *testing.T) {
	binary := groatBinary(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Condition:           scriptCondition,
		Setup: func(e *testscript.Env) error {
			a := newAWS()
			if err := a.Start(); err != nil {
				return err
			}
			e.Defer(a.Close)
			e.Values[awsKey{}] = a
			e.Vars = append(e.Vars, a.endpoints()...)
			// The program itself starts in a third of the time of one with the race detector, which a script starts twenty times.
			if os.Getenv("GROAT_TEST_LONG") == "" {
				e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			}
			e.Vars = append(e.Vars,
				"HOME="+filepath.Join(e.WorkDir, "home"),
				"GROAT_BACKEND=file", "GROAT_FILE_PASSPHRASE=correct horse", "GORACE="+os.Getenv("GORACE"),
				"KEY_ID="+a.key.ID, "KEY_SECRET="+a.key.Secret, "SERIAL="+a.device.Serial, "SEED="+a.device.Secret,
			)
			if err := os.WriteFile(filepath.Join(e.WorkDir, "key.txt"), []byte(a.key.ID+" "+a.key.Secret+"\n"), 0o600); err != nil {
				return err
			}
			dir := filepath.Join(e.WorkDir, "home", ".aws")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "config"), []byte(awsConfigOfThePeers), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], theAWS(ts).device.FreshCode())
			},
			"wrong": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], theAWS(ts).device.WrongCode())
			},
			"deny":             func(ts *testscript.TestScript, _ bool, args []string) { theAWS(ts).user.Deny(args...) },
			"device":           func(ts *testscript.TestScript, _ bool, args []string) { theAWS(ts).user.AddDevice(args[0]) },
			"sessions-outlive": func(ts *testscript.TestScript, _ bool, _ []string) { theAWS(ts).SessionsOutliveKeys(true) },
			"old-keys":         func(ts *testscript.TestScript, _ bool, _ []string) { theAWS(ts).user.Age(100 * 24 * time.Hour) },
			"no-device":        func(ts *testscript.TestScript, _ bool, _ []string) { theAWS(ts).user.DropDevices() },
			"identity-center": func(ts *testscript.TestScript, _ bool, _ []string) {
				theAWS(ts).AddSSO("https://acme.awsapps.com/start",
					ststest.Assignment{Account: "123456789012", Role: "Dev"}, ststest.Assignment{Account: "123456789012", Role: "Ops"})
				theAWS(ts).AddRole("arn:aws:iam::123456789012:role/plain-role", ststest.RoleOptions{})
			},
			"aws-login": func(ts *testscript.TestScript, _ bool, args []string) {
				name, content := theAWS(ts).CLILogin(args[0])
				ts.Check(os.MkdirAll(ts.MkAbs(args[1]), 0o700))
				ts.Check(os.WriteFile(filepath.Join(ts.MkAbs(args[1]), name), content, 0o600))
			},
			"browser": func(ts *testscript.TestScript, _ bool, args []string) { theAWS(ts).SignInAs(args[0]) },
			"web-identity": func(ts *testscript.TestScript, _ bool, args []string) {
				a := theAWS(ts)
				a.AddIssuer("https://issuer.example")
				a.AddRole("arn:aws:iam::123456789012:role/"+args[0], ststest.RoleOptions{WebIdentity: "https://issuer.example"})
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(a.WebIdentityToken("https://issuer.example", "ci", "sts.amazonaws.com", time.Hour)), 0o600))
			},
			"down":        func(ts *testscript.TestScript, _ bool, _ []string) { theAWS(ts).Close() },
			"expire":      func(ts *testscript.TestScript, _ bool, _ []string) { theAWS(ts).ExpireSessions() },
			"calls":       scriptCalls,
			"connections": scriptConnections,
			"exitcode":    scriptExitCode,
			"s3":          scriptS3,
			"asked":       scriptAsked,
			"role":        scriptRole,
			"admin": func(ts *testscript.TestScript, _ bool, _ []string) {
				a := theAWS(ts)
				a.user.Admin()
				a.AddUser("123456789012", "bot").AddAccessKey()
				a.AddUser("210987654321", "carol")
				a.AddRole("arn:aws:iam::210987654321:role/auditor", ststest.RoleOptions{RequireMFA: true, Trusted: []string{"arn:aws:iam::123456789012:root"}})
			},
			"require-mfa": func(ts *testscript.TestScript, _ bool, _ []string) { theAWS(ts).user.RequireMFA(8 * time.Hour) },
		},
	})
}

type awsKey struct{}

func theAWS(ts *testscript.TestScript) *aws { return ts.Value(awsKey{}).(*aws) }

func scriptCalls(ts *testscript.TestScript, _ bool, want []string) {
	got := map[string]int{}
	for _, name := range theAWS(ts).Names() {
		got[name]++
	}
	theAWS(ts).ResetCalls()
	for _, w := range want {
		name, n, ok := strings.Cut(w, "=")
		count, err := strconv.Atoi(n)
		if !ok || err != nil {
			ts.Fatalf("calls: %q is not OP=N", w)
		}
		if got[name] != count {
			ts.Fatalf("calls: %s was called %d times, want %d (all: %v)", name, got[name], count, got)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		ts.Fatalf("calls: unexpected calls %v", got)
	}
}

func scriptConnections(ts *testscript.TestScript, _ bool, args []string) {
	if want, err := strconv.Atoi(args[0]); err != nil || theAWS(ts).Connections() != want {
		ts.Fatalf("connections: %d, want %s", theAWS(ts).Connections(), args[0])
	}
}

func scriptExitCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || len(args) < 2 {
		ts.Fatalf("exitcode: usage: exitcode N CMD…")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("exitcode: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exitcode: %s exited %d, want %d", args[1], got, want)
	}
}

// scriptCondition answers [keyring].
func scriptCondition(name string) (bool, error) {
	if on, known := scriptClient(name); known {
		return on, nil
	}
	if name != "keyring" {
		return false, fmt.Errorf("unknown condition %q", name)
	}
	return kernelKeyring(), nil
}

// kernelKeyring reports whether this system remembers a vault key: a vault of
// its own is opened, and closed again.
var kernelKeyring = sync.OnceValue(func() bool {
	dir, err := os.MkdirTemp("", "groat-test-keyring-")
	if err != nil {
		return false
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx := context.Background()
	f := vault.OpenFile(vault.Config{FileDir: filepath.Join(dir, "vault"), Passphrase: func(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
		return []byte("x"), vault.FromEnvironment, nil
	}})
	if f.Put(ctx, vault.KindSession, "x", nil) != nil || f.Unlock(ctx, time.Minute) != nil {
		return false
	}
	return f.Lock(ctx) == nil
})

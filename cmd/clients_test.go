package cmd

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// sdkClient turns the test binary into a client that uses the Go SDK.
const sdkClient = "GROAT_TEST_GO_CLIENT"

// sayAgain makes a client say who it is once more for each line it is sent.
const sayAgain = "GROAT_TEST_AGAIN"

// TestGoClient is not a test of its own: it is the Go SDK as a client, in a
// process of its own, started by the tests below.
func TestGoClient(t *testing.T) {
	if os.Getenv(sdkClient) == "" {
		t.Skip("this is a client that other tests start")
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	client := sts.NewFromConfig(cfg)
	say := func() {
		me, err := client.GetCallerIdentity(context.Background(), nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("ARN=" + *me.Arn)
	}
	say()
	if os.Getenv(sayAgain) != "" {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			say()
		}
	}
}

// clientLine is a client's command line; each prints the ARN of who it is.
func clientLine(t *testing.T, w *clientWorld, name string) []string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	scripts := filepath.Join(here, "testdata", "clients")
	switch name {
	case "awscli":
		// Old releases do not know AWS_ENDPOINT_URL_STS.
		return []string{program(t, "aws"), "--endpoint-url", w.URL, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"}
	case "boto3":
		interpreter, err := python("boto3")
		if err != nil {
			t.Fatal(err)
		}
		return []string{interpreter, filepath.Join(scripts, "boto3", "identity.py")}
	case "go":
		return []string{"/usr/bin/env", sdkClient + "=1", os.Args[0], "-test.run=^TestGoClient$", "-test.v"}
	case "go-v1":
		binary := filepath.Join(t.TempDir(), "gov1")
		build := exec.Command("go", "build", "-o", binary, ".")
		build.Dir = filepath.Join(scripts, "gov1")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("could not build the client: %v\n%s", err, out)
		}
		return []string{binary}
	case "js":
		if _, err := os.Stat(filepath.Join(scripts, "js", "node_modules")); err != nil {
			t.Fatalf("the JS SDK was promised by %s: run `npm ci` in cmd/testdata/clients/js: %v", clientsVariable, err)
		}
		return []string{program(t, "node"), filepath.Join(scripts, "js", "identity.mjs")}
	}
	t.Fatalf("no client %s", name)
	return nil
}

// arn is what a client said of itself.
func arn(stdout string) string {
	for line := range strings.Lines(stdout) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "ARN=")
		if strings.HasPrefix(line, "arn:") {
			return line
		}
	}
	return stdout
}

func (w *clientWorld) is(r ran, want string) {
	w.t.Helper()
	if got := arn(w.must(r)); got != want {
		w.t.Errorf("%s is %s, want %s", r.name, got, want)
	}
}

const (
	getSessionToken   = "sts:GetSessionToken"
	assumeRole        = "sts:AssumeRole"
	getCallerIdentity = "sts:GetCallerIdentity"
)

// Each SDK gets its credentials from the credential process: one code and one
// session for both roles, and afterwards nothing but the client's own call.
func TestClientsThroughCredentialProcess(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"awscli", "boto3", "go", "js"} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			line := clientLine(t, w, name)
			as := func(profile string) ran {
				return w.commandWith([]string{"AWS_PROFILE=" + profile}, "", line[0], line[1:]...)
			}
			w.is(as("sdk-admin"), adminARN)
			w.calls(getSessionToken, assumeRole, getCallerIdentity)
			w.is(as("sdk-readonly"), readonlyARN)
			w.calls(assumeRole, getCallerIdentity)
			for profile, want := range map[string]string{"sdk-admin": adminARN, "sdk-readonly": readonlyARN} {
				w.is(as(profile), want)
				w.calls(getCallerIdentity)
			}
		})
	}
}

// Without anybody to ask, the client says what groat says.
func TestClientsShowTheReason(t *testing.T) {
	for _, name := range []string{"awscli", "boto3", "go", "js"} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, false)
			line := clientLine(t, w, name)
			r := w.commandWith([]string{"AWS_PROFILE=sdk-admin"}, "", line[0], line[1:]...)
			if r.code == 0 {
				t.Fatalf("no code was given and yet: %s", r.stdout)
			}
			if said := r.stdout + r.stderr; name != "js" && !strings.Contains(said, "token code") {
				t.Errorf("the reason is lost: %s", said)
			}
			w.calls()
		})
	}
}

// The same clients as children of `groat exec`.
func TestClientsThroughExec(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"awscli", "boto3", "go", "js"} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, false)
			line := clientLine(t, w, name)
			as := func(profile string, flags ...string) ran {
				args := append([]string{"exec", profile}, flags...)
				return w.command("", "groat", append(append(args, "--"), line...)...)
			}
			w.is(as("admin", "--mfa-code", w.device.FreshCode()), adminARN)
			w.calls(getSessionToken, assumeRole, getCallerIdentity)
			w.is(as("readonly"), readonlyARN)
			w.calls(assumeRole, getCallerIdentity)
			w.is(as("default"), "arn:aws:iam::123456789012:user/myusername")
			w.calls(getCallerIdentity)
		})
	}
}

// Many clients at once on a cold cache: one code, one session, one role.
func TestParallelClients(t *testing.T) {
	for name, n := range map[string]int{"awscli": 6, "boto3": 6, "go": 12, "js": 6} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			line := clientLine(t, w, name)
			results := make([]ran, n)
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					results[i] = w.commandWith([]string{"AWS_PROFILE=sdk-admin"}, "", line[0], line[1:]...)
				})
			}
			all.Wait()
			want := []string{getSessionToken, assumeRole}
			for _, r := range results {
				w.is(r, adminARN)
				want = append(want, getCallerIdentity)
			}
			w.calls(want...)
		})
	}
}

// Every AWS CLI on the path, old and new, takes what groat prints.
func TestEveryAWSCLI(t *testing.T) {
	promised(t, "awscli")
	w := newClientWorld(t, false)
	w.must(w.command("", "groat", "credential-process", "admin", "--mfa-code", w.device.FreshCode()))
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path, err := exec.LookPath(filepath.Join(dir, "aws"))
		if err != nil {
			continue
		}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if seen[real] {
				continue
			}
			seen[real] = true
		}
		t.Run(filepath.Base(dir), func(t *testing.T) {
			w.is(w.command("", path, "--endpoint-url", w.URL, "--profile", "sdk-admin", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"), adminARN)
		})
	}
}

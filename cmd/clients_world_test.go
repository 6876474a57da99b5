package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/provider/ststest"
)

// The tests of real clients are switched on by GROAT_TEST_CLIENTS, a list of
// awscli, boto3, go, go-v1, js, rclone, ecr-helper, terraform and moto, or "all". A client that is named
// and missing is a failure: whoever names it promises it.
const (
	clientsVariable   = "GROAT_TEST_CLIENTS"
	pluginDirVariable = "GROAT_TEST_TF_PLUGIN_DIR" // where terraform finds its AWS provider
)

// promised skips the test unless the client is switched on.
func promised(t *testing.T, client string) {
	t.Helper()
	if !switchedOn(client) {
		t.Skipf("client %s is not named in %s", client, clientsVariable)
	}
}

func switchedOn(client string) bool {
	list := strings.FieldsFunc(os.Getenv(clientsVariable), func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(list, client) || slices.Contains(list, "all")
}

// program finds a program that was promised.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s was promised by %s: %v", name, clientsVariable, err)
	}
	return path
}

// python finds the first python3 on the path that has a module.
func python(module string) (string, error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path, err := exec.LookPath(filepath.Join(dir, "python3"))
		if err == nil && exec.Command(path, "-c", "import "+module).Run() == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s was promised by %s and no python3 has it", module, clientsVariable)
}

// clientsConfig is what an SDK is given: it never sees the roles.
const clientsConfig = `[profile sdk-admin]
region=eu-west-1
credential_process = groat credential-process admin
[profile sdk-readonly]
region=eu-west-1
credential_process = groat credential-process readonly
`

const (
	adminARN    = "arn:aws:sts::123456789012:assumed-role/admin-role/myusername"
	readonlyARN = "arn:aws:sts::123456789012:assumed-role/readonly-role/myusername"
)

// clientWorld is a home of its own with groat in the path, the key in a file
// vault, and AWS's strict double at the other end.
type clientWorld struct {
	*aws
	t    *testing.T
	home string
	env  []string
}

// newClientWorld stores the key with `groat add` and forgets the calls of
// that. With a generator, an mfa_process answers for the token codes.
func newClientWorld(t *testing.T, generator bool) *clientWorld {
	t.Helper()
	return newClientWorldWith(t, generator, ststest.Options{})
}

func newClientWorldWith(t *testing.T, generator bool, o ststest.Options) *clientWorld {
	t.Helper()
	w := &clientWorld{aws: startAWSWith(t, o), t: t, home: t.TempDir()}
	config := awsConfigOfThePeers + clientsConfig
	if generator {
		config = strings.Replace(config, "[default]\n", "[default]\nmfa_process = cat "+w.path("code")+"\n", 1)
		w.code()
	}
	w.write("config", config)
	path := filepath.Dir(groatBinary(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
	w.env = append(w.endpoints(),
		"HOME="+w.home, "PATH="+path, "TMPDIR="+t.TempDir(), "LANG=C.UTF-8",
		"AWS_CONFIG_FILE="+w.path("config"), "GROAT_TRUST="+w.path("config"), "AWS_SHARED_CREDENTIALS_FILE="+w.path("credentials"), "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
		"GROAT_BACKEND=file", "GROAT_FILE_PASSPHRASE=correct horse", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent",
		"NO_PROXY=127.0.0.1", "CHECKPOINT_DISABLE=1", "PYTHONDONTWRITEBYTECODE=1",
	)
	if o.TLS {
		ca, err := w.CAFile()
		if err != nil {
			t.Fatal(err)
		}
		w.env = append(w.env, "AWS_CA_BUNDLE="+ca, "SSL_CERT_FILE="+ca)
	}
	w.must(w.command(w.key.ID+" "+w.key.Secret+"\n", "groat", "add", "default", "--stdin"))
	w.ResetCalls()
	return w
}

func (w *clientWorld) path(name string) string { return filepath.Join(w.home, name) }

func (w *clientWorld) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// code puts the next token code where the generator reads it.
func (w *clientWorld) code() { w.write("code", w.device.FreshCode()+"\n") }

// ran is a program that has ended.
type ran struct {
	name string
	result
}

// command runs a program without a terminal. A program that takes minutes is
// ended, and that shows as its failure.
func (w *clientWorld) command(stdin string, name string, args ...string) ran {
	w.t.Helper()
	return w.commandWith(nil, stdin, name, args...)
}

func (w *clientWorld) commandWith(env []string, stdin string, name string, args ...string) ran {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, w.find(name), args...)
	var stdout, stderr bytes.Buffer
	c.Env, c.Dir = append(slices.Clone(w.env), env...), w.home
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &stdout, &stderr
	detach(c)
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.t.Fatalf("%s: %v", name, err)
	}
	return ran{name + " " + strings.Join(args, " "), result{code: c.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}}
}

// find looks a program up in the world's PATH.
func (w *clientWorld) find(name string) string {
	w.t.Helper()
	if filepath.IsAbs(name) {
		return name
	}
	for _, e := range w.env {
		path, ok := strings.CutPrefix(e, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return p
			}
		}
	}
	w.t.Fatalf("%s was promised by %s and is not there", name, clientsVariable)
	return ""
}

// must fails the test unless the program succeeded, and returns its output.
func (w *clientWorld) must(r ran) string {
	w.t.Helper()
	if r.code != 0 {
		w.t.Fatalf("%s: exit code %d\nstdout: %s\nstderr: %s\ncalls: %v", r.name, r.code, r.stdout, r.stderr, w.Names())
	}
	return strings.TrimSpace(r.stdout)
}

// calls fails the test unless exactly these calls were made since the last
// look, in any order.
func (w *clientWorld) calls(want ...string) {
	w.t.Helper()
	got := w.Names()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("calls %v, want %v", got, want)
	}
	w.ResetCalls()
}

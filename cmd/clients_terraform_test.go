package cmd

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// copyFixture gives terraform a folder that it may write to.
func (w *clientWorld) copyFixture(name string) string {
	w.t.Helper()
	dir := w.path("tf-" + name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "clients", "terraform", name))); err != nil {
		w.t.Fatal(err)
	}
	return dir
}

// terraformPlugins is a folder with the AWS provider: the one that the
// variable names, else one of those in which terraform looks by itself. There
// is no registry to ask.
func terraformPlugins(t *testing.T) string {
	t.Helper()
	const provider = "registry.terraform.io/hashicorp/aws"
	if dir := os.Getenv(pluginDirVariable); dir != "" {
		if _, err := os.Stat(filepath.Join(dir, provider)); err != nil {
			t.Fatalf("the AWS provider was promised by %s: %v", pluginDirVariable, err)
		}
		return dir
	}
	home, _ := os.UserHomeDir()
	for _, dir := range []string{filepath.Join(home, ".terraform.d/plugins"), filepath.Join(home, ".local/share/terraform/plugins"),
		"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins"} {
		if _, err := os.Stat(filepath.Join(dir, provider)); err == nil {
			return dir
		}
	}
	t.Skipf("no AWS provider for terraform on this machine: put one in a plugin folder and name that in %s", pluginDirVariable)
	return ""
}

// terraform runs terraform in a folder under the words before it ("groat
// exec admin --"), or by itself.
func (w *clientWorld) terraform(under []string, env []string, dir string, args ...string) ran {
	w.t.Helper()
	line := append(append(append([]string{}, under...), program(w.t, "terraform"), "-chdir="+dir), args...)
	return w.commandWith(append([]string{"TF_IN_AUTOMATION=1", "TF_INPUT=0"}, env...), "", line[0], line[1:]...)
}

// The AWS provider gets its credentials from the credential process and from
// exec; it never sees a role, a serial or a code.
func TestTerraformProvider(t *testing.T) {
	promised(t, "terraform")
	plugins := terraformPlugins(t)
	w := newClientWorld(t, true)
	dir := w.copyFixture("identity")
	w.must(w.terraform(nil, nil, dir, "init", "-plugin-dir="+plugins))
	w.calls()
	apply := func(under []string, env []string, want string) {
		t.Helper()
		out := w.must(w.terraform(under, env, dir, "apply", "-auto-approve", "-no-color"))
		if !strings.Contains(out, want) {
			t.Errorf("want %s in:\n%s", want, out)
		}
	}
	apply(nil, []string{"AWS_PROFILE=sdk-admin"}, "assumed-role/admin-role/myusername")
	if n, m := w.Count(getSessionToken), w.Count(assumeRole); n != 1 || m != 1 {
		t.Errorf("%d sessions and %d roles for one apply: %v", n, m, w.Names())
	}
	w.ResetCalls()
	apply([]string{"groat", "exec", "readonly", "--"}, nil, "assumed-role/readonly-role/myusername")
	if n, m := w.Count(getSessionToken), w.Count(assumeRole); n != 0 || m != 1 {
		t.Errorf("%d sessions and %d roles for the second role: %v", n, m, w.Names())
	}
}

// The documents of `policy` are what the AWS provider takes.
func TestTerraformTakesThePolicies(t *testing.T) {
	promised(t, "terraform")
	plugins := terraformPlugins(t)
	w := newClientWorld(t, false)
	dir := w.path("policies")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"require-mfa", "self-service", "assume-role-trust", "rotate-own-key", "revoke-sessions", "allow-signin"} {
		w.write(filepath.Join("policies", name+".tf"), w.must(w.command("", "groat", "policy", name, "--format", "terraform", "--account", "123456789012")))
	}
	w.must(w.terraform(nil, nil, dir, "init", "-plugin-dir="+plugins))
	w.must(w.terraform(nil, nil, dir, "validate"))
}

// Credentials end in the middle of an apply. A client that asks for them goes
// on; one that got them in its environment cannot, which is what --server is
// for.
func TestTerraformOutlivesItsCredentials(t *testing.T) {
	promised(t, "terraform")
	plugins := terraformPlugins(t)
	w := newClientWorld(t, true)
	dir := w.copyFixture("expiry")
	w.must(w.terraform(nil, nil, dir, "init", "-plugin-dir="+plugins))
	const life = 12 * time.Second
	w.CapRoleSessions(life)
	for _, road := range []struct {
		name       string
		under, env []string
		goesOn     bool
	}{
		{"credential process", nil, []string{"AWS_PROFILE=sdk-admin"}, true},
		{"server", []string{"groat", "exec", "--server", "admin", "--"}, nil, true},
		{"environment", []string{"groat", "exec", "admin", "--"}, nil, false},
	} {
		t.Run(road.name, func(t *testing.T) {
			w.ResetCalls()
			w.must(w.command("", "groat", "clear", "admin"))
			r := w.terraform(road.under, road.env, dir, "apply", "-auto-approve", "-no-color", "-replace=terraform_data.wait", "-var=seconds=13")
			switch {
			case !road.goesOn && (r.code == 0 || !strings.Contains(r.stderr, "ExpiredToken")):
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			case road.goesOn && !strings.Contains(w.must(r), "assumed-role/admin-role/myusername"):
				t.Errorf("another identity: %s", r.stdout)
			case road.goesOn && w.Count(assumeRole) < 2:
				t.Errorf("the role was not renewed: %v", w.Names())
			case w.Count("sts:GetSessionToken") > 1:
				t.Errorf("more than one code was used: %v", w.Names())
			}
		})
	}
}

// A state in S3, with its lock: init, apply and plan through the credential
// process and through exec, and no key of any kind on the disk afterwards.
func TestTerraformBackend(t *testing.T) {
	promised(t, "terraform")
	promised(t, "moto")
	s3, stop, err := startMoto(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	req, _ := http.NewRequest(http.MethodPut, s3+"/groat-test-state", strings.NewReader(`<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("could not make a bucket: %v %v", err, resp)
	}
	_ = resp.Body.Close()
	w := newClientWorld(t, true)
	w.env = append(w.env, "AWS_ENDPOINT_URL_S3="+s3)
	dir := w.copyFixture("backend")
	for name, road := range map[string]struct{ under, env []string }{
		"credential process": {nil, []string{"AWS_PROFILE=sdk-admin"}},
		"exec":               {[]string{"groat", "exec", "admin", "--"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			run := func(args ...string) string {
				return w.must(w.terraform(road.under, road.env, dir, args...))
			}
			run("init", "-reconfigure")
			run("apply", "-auto-approve", "-var=word="+strings.ReplaceAll(name, " ", "-"))
			if out := run("plan", "-detailed-exitcode", "-var=word="+strings.ReplaceAll(name, " ", "-")); !strings.Contains(out, "No changes") {
				t.Errorf("plan: %s", out)
			}
		})
	}
	if n, m := w.Count(getSessionToken), w.Count(assumeRole); n != 1 || m != 1 {
		t.Errorf("%d sessions and %d roles for six runs: %v", n, m, w.Names())
	}
	w.nowhereInClear(dir, w.key.Secret)
	for _, c := range w.Calls() {
		if c.Issued != "" {
			w.nowhereInClear(dir, c.Issued)
		}
	}
}

// nowhereInClear fails the test if a text stands in a file below dir.
func (w *clientWorld) nowhereInClear(dir, secret string) {
	w.t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.Contains(path, string(filepath.Separator)+"providers"+string(filepath.Separator)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(data), secret) {
			w.t.Errorf("%s stands in %s", secret, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

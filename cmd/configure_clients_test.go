package cmd

import (
	"os"
	"strings"
	"testing"
)

// After `groat configure`, AWS_PROFILE=NAME is all that a client needs, for
// roles and for the key's own profile, and `exec NAME` goes on to work. One
// session serves all; undoing gives the config file back.
func TestClientsWithConfiguredProfiles(t *testing.T) {
	for _, name := range []string{"awscli", "boto3", "go", "js"} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			before := w.read("config")
			w.must(w.command("", "groat", "configure", "readonly", "admin", "default"))
			line := clientLine(t, w, name)
			as := func(profile string) ran {
				return w.commandWith([]string{"AWS_PROFILE=" + profile}, "", line[0], line[1:]...)
			}
			w.is(as("readonly"), readonlyARN)
			w.calls(getSessionToken, assumeRole, getCallerIdentity)
			w.is(as("admin"), adminARN)
			w.calls(assumeRole, getCallerIdentity)
			w.is(as("default"), "arn:aws:iam::123456789012:user/myusername")
			w.calls(getCallerIdentity)
			w.is(w.command("", "groat", append([]string{"exec", "admin", "--"}, line...)...), adminARN)
			w.calls(getCallerIdentity)
			w.must(w.command("", "groat", "configure", "--undo", "admin", "default", "readonly"))
			if after := w.read("config"); after != before {
				t.Errorf("undone:\n%s\nwas:\n%s", after, before)
			}
		})
	}
}

func (w *clientWorld) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// Terraform's AWS provider, by AWS_PROFILE alone: what people type daily.
func TestTerraformWithConfiguredProfiles(t *testing.T) {
	promised(t, "terraform")
	plugins := terraformPlugins(t)
	w := newClientWorld(t, true)
	w.must(w.command("", "groat", "configure", "readonly", "admin"))
	dir := w.copyFixture("identity")
	w.must(w.terraform(nil, nil, dir, "init", "-plugin-dir="+plugins))
	for _, step := range []struct {
		args          []string
		profile, want string
		sessions      int
	}{
		{[]string{"plan"}, "readonly", "assumed-role/readonly-role/myusername", 1},
		{[]string{"apply", "-auto-approve"}, "admin", "assumed-role/admin-role/myusername", 0},
	} {
		out := w.must(w.terraform(nil, []string{"AWS_PROFILE=" + step.profile}, dir, append(step.args, "-no-color")...))
		if !strings.Contains(out, step.want) {
			t.Errorf("want %s in:\n%s", step.want, out)
		}
		if n, m := w.Count(getSessionToken), w.Count(assumeRole); n != step.sessions || m != 1 {
			t.Errorf("%s: %d sessions and %d roles: %v", step.profile, n, m, w.Names())
		}
		w.ResetCalls()
	}
}

package cmd

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"groat/provider/ststest"
)

// After `groat configure`, AWS_PROFILE=NAME is all that a client needs, for
// roles and for the key's own profile, and `exec NAME` goes on to work. One
// session serves all; undoing gives the config file back. A profile that is
// signed in with is served as well: few of these clients could read one, and
// boto3 not without a native library.
func TestClientsWithConfiguredProfiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"awscli", "boto3", "go", "go-v1", "js"} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorld(t, true)
			before := w.signed()
			w.must(w.command("", "groat", "configure", "readonly", "admin", "default", "signed"))
			line := clientLine(t, w, name)
			w.code() // building a client may have taken a while
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
			w.is(as("signed"), w.user.ARN)
			w.calls("signin:CreateOAuth2Token", getCallerIdentity)
			w.must(w.command("", "groat", "configure", "--undo", "admin", "default", "readonly", "signed"))
			if after := w.read("config"); after != before {
				t.Errorf("undone:\n%s\nwas:\n%s", after, before)
			}
		})
	}
}

// signed adds a profile "signed" with login_session, whose sign-in is in the
// vault, and gives the config.
func (w *clientWorld) signed() (config string) {
	w.t.Helper()
	w.env = append(w.env, "AWS_ENDPOINT_URL_SIGNIN="+w.URL)
	file, content := w.CLILogin(w.user.ARN)
	w.write(file, string(content))
	w.write("config", w.read("config")+"[profile signed]\nregion = eu-west-1\nlogin_session = "+w.user.ARN+"\n")
	w.must(w.command("", "groat", "import", "--from", "aws-login", "--source-dir", w.home, "--delete-source"))
	return w.read("config")
}

func (w *clientWorld) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(w.path(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

// Programs that people have installed sign with what groat gives them. They
// were built with the first Go SDK, which takes a quoted path for the whole
// command. What they ask for, the double does not know: who signed counts.
func TestInstalledProgramsWithConfiguredProfiles(t *testing.T) {
	for name, line := range map[string]func(w *clientWorld) ran{
		"terraform": func(w *clientWorld) ran { // its state in S3 needs no provider
			return w.terraform(nil, []string{"AWS_PROFILE=signed", "AWS_ENDPOINT_URL_S3=" + w.URL, "TF_CLI_CONFIG_FILE="}, w.copyFixture("backend"), "init", "-no-color")
		},
		"rclone": func(w *clientWorld) ran {
			return w.commandWith([]string{"AWS_PROFILE=admin"}, "", program(w.t, "rclone"), "lsd", "--config", w.path("none"), "--retries", "1", "--low-level-retries", "1",
				"--s3-env-auth", "--s3-provider", "AWS", "--s3-region", "eu-west-1", "--s3-endpoint", w.URL, ":s3:")
		},
		"ecr-helper": func(w *clientWorld) ran {
			proxy, err := w.Proxy()
			if err != nil {
				w.t.Fatal(err)
			}
			return w.commandWith([]string{"AWS_PROFILE=admin", "AWS_SDK_LOAD_CONFIG=1", "HTTPS_PROXY=" + proxy},
				"123456789012.dkr.ecr.eu-west-1.amazonaws.com", program(w.t, "docker-credential-ecr-login"), "get")
		},
	} {
		t.Run(name, func(t *testing.T) {
			promised(t, name)
			w := newClientWorldWith(t, true, ststest.Options{TLS: name == "ecr-helper"}) // which takes no endpoint, but a proxy
			w.signed()
			w.must(w.command("", "groat", "configure", "admin", "signed"))
			r := line(w)
			signed := w.Calls()
			profile := map[bool]string{false: "admin", true: "signed"}[name == "terraform"]
			var answer struct{ AccessKeyId string }
			if err := json.Unmarshal([]byte(w.must(w.command("", "groat", "credential-process", profile))), &answer); err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(signed, func(c ststest.Call) bool { return c.AccessKeyID == answer.AccessKeyId }) {
				t.Errorf("%s did not sign with the credentials of %s: %v\n%s", r.name, profile, signed, r.stderr)
			}
		})
	}
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

package cmd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Wherever among its writes, in the vault and in the config, a sign-in dies:
// the profile is signed in as whoever was in the browser, or a person is told
// to sign in; and then it works.
func TestSignInDiesAtEachWrite(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	calls, least := []string{"renameat", "renameat2", "fsync", "unlinkat", "write"}, 10
	if os.Getenv("GROAT_TEST_LONG") == "" {
		calls, least = calls[:2], 2
	}
	o := newOutside(t)
	o.SignInAs(o.user.ARN)
	o.environ = append(o.environ, "AWS_ENDPOINT_URL="+o.URL, "DISPLAY=:99", "PATH="+o.home+":"+os.Getenv("PATH"))
	o.write("xdg-open", "#!/bin/sh\ncurl -sL -o \"$HOME/page\" \"$1\"\n")
	if err := os.Chmod(filepath.Join(o.home, "xdg-open"), 0o700); err != nil {
		t.Fatal(err)
	}
	const config = "[profile me]\nregion = eu-west-1\n"
	line := "login_session = " + o.user.ARN
	points, signedIn := 0, 0
	for _, call := range calls {
		for n := 1; ; n++ {
			o.must(o.command("signout", "--all"))
			o.write(".aws/config", config)
			c := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call, "-e", "inject="+call+":signal=KILL:when="+strconv.Itoa(n), o.binary, "signin", "me")
			c.Env, c.Dir = o.environ, o.home
			out, err := c.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && (!errors.As(err, &exit) || exit.ExitCode() >= 0) {
				t.Fatalf("%s %d: %v\n%s", call, n, err, out)
			}
			if err == nil { // there are fewer calls than n
				break
			}
			points++
			where := call + " " + strconv.Itoa(n)
			text, err := os.ReadFile(filepath.Join(o.home, ".aws/config"))
			if err != nil || string(text) != config && !strings.Contains(string(text), line) {
				t.Errorf("%s: the config is %q, %v", where, text, err)
			}
			alone := o.command("credential-process", "me", "--no-input")
			if out, err := alone.CombinedOutput(); err == nil {
				signedIn++
			} else if !strings.Contains(string(out), "groat signin me") {
				t.Errorf("%s: the next call says %s", where, out)
			}
			o.must(o.command("signin", "me"))
			o.must(o.command("credential-process", "me", "--no-input"))
			if text, err := os.ReadFile(filepath.Join(o.home, ".aws/config")); err != nil || strings.Count(string(text), line) != 1 {
				t.Errorf("%s: signed in, and the config is %q, %v", where, text, err)
			}
		}
	}
	t.Logf("%d kill points; the next call was signed in at %d", points, signedIn)
	if points < least {
		t.Errorf("only %d points", points)
	}
}

//go:build unix

package cmd

import (
	"bytes"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// signsIn gives the home a profile "me" and a browser that signs in as the
// double's user, and runs `groat signin me`. The browser is this test: the
// opener's command line has only a page on loopback.
func (o *outside) signsIn() {
	o.t.Helper()
	o.SignInAs(o.user.ARN)
	o.environ = append(o.environ, "AWS_ENDPOINT_URL="+o.URL, "PATH="+o.home+":"+os.Getenv("PATH"))
	o.write(".aws/config", "[profile me]\nregion = eu-west-1\n[profile again]\nlogin_session = "+o.user.ARN+"\nregion = eu-west-1\n")
	o.write("xdg-open", "#!/bin/sh\nprintf %s \"$1\" >\"$HOME/url.new\" && mv \"$HOME/url.new\" \"$HOME/url\"\n")
	if err := os.Chmod(filepath.Join(o.home, "xdg-open"), 0o700); err != nil {
		o.t.Fatal(err)
	}
	c := o.command("signin", "me")
	c.Env = append(c.Env, "DISPLAY=:99")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		o.t.Fatal(err)
	}
	visit(o.t, string(eventually(o.t, filepath.Join(o.home, "url"))))
	if err := c.Wait(); err != nil || !strings.Contains(stderr.String(), "signed in as "+o.user.ARN) {
		o.t.Fatalf("signin: %v\n%s", err, stderr.String())
	}
}

// eventually is what is in a file once there is one.
func eventually(t testing.TB, path string) []byte {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil {
			return data
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is no %s", path)
		}
	}
}

// visit is a browser: it goes where it is sent and gives what it sees there.
func visit(t testing.TB, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// However many processes find the credentials of a sign-in expired: one
// refresh, and an answer for each; and nothing of it is in clear on the disk.
func TestProcessesRenewASignInOnce(t *testing.T) {
	o := newOutside(t)
	o.signsIn()
	processes, repeats := 30, 1
	if os.Getenv("GROAT_TEST_LONG") != "" {
		processes, repeats = 100, 20
	}
	profiles := slices.Repeat([]string{"me", "again"}, processes/2)
	for range repeats {
		o.cold()
		o.slow()
		answers := o.together(profiles...)
		o.ClearFaults()
		for i, a := range answers {
			if a != answers[0] {
				t.Errorf("process %d has another answer", i)
			}
		}
		if o.Count("signin:CreateOAuth2Token") != 1 || o.Count("") != 1 {
			t.Errorf("calls %v", o.Names())
		}
	}
	secrets, _ := o.Secrets()
	secrets = append(secrets, "refresh_token", o.credentials("me").SessionToken, o.credentials("me").SecretAccessKey)
	if len(secrets) < 4 {
		t.Errorf("only %d secrets", len(secrets))
	}
	files := 0
	err := filepath.WalkDir(o.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s holds a secret in clear", path)
			}
		}
		return err
	})
	if err != nil || files < 5 {
		t.Errorf("%d files looked at, %v", files, err)
	}
	t.Logf("%d processes × %d: one refresh each time; %d files without a secret", processes, repeats, files)
}

// Without a display a link is shown, and what its page shows is typed; so too
// in the midst of a credential process.
func TestSignInByPasting(t *testing.T) {
	w := newPromptWorld(t)
	w.SignInAs(w.user.ARN)
	w.env = append(w.env, "AWS_ENDPOINT_URL="+w.URL)
	config := "[profile me]\nlogin_session = " + w.user.ARN + "\nregion = eu-west-1\n"
	if err := os.WriteFile(w.path("config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	const prompt = "code that the page shows: "
	link := func(s *terminaltest.Session) string {
		_, link, _ := strings.Cut(s.Screen(), "open in any browser")
		return strings.Fields(strings.ReplaceAll(link, "\r\n", "\n"))[0]
	}
	for _, words := range [][]string{{"signin", "me", "--remote"}, {"credential-process", "me"}} {
		s := w.on(t, "groat", words...)
		s.Sees(prompt, 1)
		if !strings.Contains(s.Screen(), `profile "me": sign in to AWS (`+w.user.ARN+")") {
			t.Errorf("the screen shows\n%s", s.Screen())
		}
		s.Types("half-a-code\n")
		s.Sees("that is not the whole code that the page shows", 1)
		s.Types(visit(t, link(s)) + "\n")
		s.Wait()
		if s.Cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("%q: %s\n%s", words, s.Screen(), s.Stderr.String())
		}
		s.Restored()
		if words[0] == "signin" {
			mustRun(t, w.env, "", "signout", "me")
			continue
		}
		answered(t, s)
	}
	s := w.on(t, "groat", "signin", "me", "--remote")
	s.Sees(prompt, 1)
	s.Types("\x03")
	s.Ends(exitInterrupted, "")
}

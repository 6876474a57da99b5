//go:build linux

package cmd

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// A question that a real client's helper asks, and the ways it ends. What the
// client makes of a failure is its own affair: one question, the terminal as
// it was and nobody left behind are ours.
func TestPromptUnderClients(t *testing.T) {
	cases := map[string]struct {
		act   func(w promptWorld, s *terminaltest.Session)
		works bool
	}{
		"right code": {func(w promptWorld, s *terminaltest.Session) { s.Types(w.device.FreshCode() + "\n") }, true},
		"wrong then right": {func(w promptWorld, s *terminaltest.Session) {
			s.Types(w.device.WrongCode() + "\n")
			s.Sees("AWS refused the token code", 1)
			s.Sees(codePrompt, 2)
			s.Types(w.device.FreshCode() + "\n")
		}, true},
		"cancel":  {func(_ promptWorld, s *terminaltest.Session) { s.Types("\x04") }, false},
		"ctrl-c":  {func(_ promptWorld, s *terminaltest.Session) { s.Types("12\x03") }, false},
		"sigkill": {func(_ promptWorld, s *terminaltest.Session) { killGroat(s) }, false},
	}
	for _, client := range []string{"awscli", "boto3", "go", "terraform"} {
		t.Run(client, func(t *testing.T) {
			promised(t, client)
			for name, c := range cases {
				t.Run(name, func(t *testing.T) {
					w := newPromptWorld(t)
					w.env = append(w.env, "AWS_PROFILE=sdk-admin")
					line := w.promptingLine(t, client)
					s := w.on(t, line[0], line[1:]...)
					s.Sees(codePrompt, 1)
					c.act(w, s)
					s.Wait()
					s.Restored()
					questions := 1
					if name == "wrong then right" {
						questions = 2
					}
					// Terraform tries again by itself when its helper failed.
					if n := strings.Count(s.Screen(), codePrompt); n != questions {
						t.Errorf("%d questions, want %d:\n%s", n, questions, s.Screen())
					}
					if minted := w.Count(assumeRole) == 1; minted != c.works {
						t.Errorf("calls %v; screen:\n%s\nstderr:\n%s", w.Names(), s.Screen(), s.Stderr.String())
					}
					if client == "terraform" { // there is no bucket behind it
						return
					}
					if ok := s.Cmd.ProcessState.ExitCode() == 0; ok != c.works || ok != (arn(s.Stdout.String()) == adminARN) {
						t.Errorf("exit code %d, stdout %q, stderr %q", s.Cmd.ProcessState.ExitCode(), s.Stdout.String(), s.Stderr.String())
					}
				})
			}
		})
	}
}

// promptingLine is a client's command line; terraform reads a state that
// does not exist.
func (w promptWorld) promptingLine(t *testing.T, client string) []string {
	t.Helper()
	if client != "terraform" {
		return clientLine(t, w.clientWorld, client)
	}
	w.write("backend.hcl", "max_retries = 0\nendpoints = {\n  s3 = \""+w.URL+"\"\n  sts = \""+w.URL+"\"\n}\n")
	return []string{program(t, "terraform"), "-chdir=" + w.copyFixture("backend"), "init", "-input=false", "-no-color", "-backend-config=" + w.path("backend.hcl")}
}

// killGroat kills the helper alone, wherever the client has put it.
func killGroat(s *terminaltest.Session) {
	for _, pid := range s.Pids("groat") {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// Every way to another command that mints asks in the same way.
func TestPromptOfEveryCommand(t *testing.T) {
	for _, command := range [][]string{
		{"export", "admin", "--format", "json"},
		{"login", "admin", "--stdout"},
		{"whoami", "admin"},
		{"each", "admin", "readonly", "--", "true"},
	} {
		t.Run(command[0], func(t *testing.T) {
			w := newPromptWorld(t)
			if r := w.command("", "groat", command[0], "--help"); r.code == exitUsage {
				t.Skipf("there is no %s", command[0])
			}
			w.env = append(w.env, "AWS_ENDPOINT_URL_SIGNIN="+w.URL)
			for _, end := range []string{"\x03", "\x04"} {
				s := w.on(t, "groat", command...)
				s.Sees(codePrompt, 1)
				s.Types(end)
				s.Wait()
				s.Restored()
				if code := s.Cmd.ProcessState.ExitCode(); code != map[string]int{"\x03": 130, "\x04": exitNoCode}[end] || s.Stdout.String() != "" && command[0] != "each" {
					t.Errorf("%q: exit code %d, stdout %q, stderr %q", end, code, s.Stdout.String(), s.Stderr.String())
				}
			}
			s := w.on(t, "groat", command...)
			s.Sees(codePrompt, 1)
			s.Types(w.device.FreshCode() + "\n")
			s.Wait()
			s.Restored()
			if n := strings.Count(s.Screen(), codePrompt); n != 1 || w.Count(getSessionToken) != 1 {
				t.Errorf("%d questions, calls %v, stderr %q", n, w.Names(), s.Stderr.String())
			}
		})
	}
}

// Waiting behind another process that asks is bounded as asking itself is,
// from the start of the process.
func TestWaitingEndsBeforeTheSDKDoes(t *testing.T) {
	w := newPromptWorld(t)
	asking := w.on(t, "groat", "exec", "admin", "--", "true") // has no deadline
	asking.Sees(codePrompt, 1)
	var out, errs strings.Builder
	a := newApp(w.env, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	defer a.close()
	command, err := a.parse([]string{"credential-process", "readonly"})
	if err != nil {
		t.Fatal(err)
	}
	a.prompts.started = time.Now().Add(2*time.Second - credentialProcessEnd)
	if code := a.report(t.Context(), command.Run(t.Context(), a)); code != exitNoCode || out.Len() > 0 || !strings.Contains(errs.String(), "run in a terminal: groat exec readonly") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out.String(), errs.String())
	}
	asking.Types(w.device.FreshCode() + "\n")
	w.ends(t, asking, 0, 1)
}

// script(1) puts a terminal of its own around the program, as ssh -t does.
func TestPromptUnderScript(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("no script(1)")
	}
	w := newPromptWorld(t)
	cmd := exec.CommandContext(t.Context(), w.find("script"), "-qec", "groat credential-process admin >"+w.path("out"), "/dev/null")
	cmd.Env, cmd.Dir = w.env, w.home
	detach(cmd)
	var screen terminaltest.Buffer
	cmd.Stdout = &screen
	keyboard, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminaltest.Eventually(t, codePrompt, func() bool { return strings.Contains(screen.String(), codePrompt) })
	_, _ = io.WriteString(keyboard, w.device.FreshCode()+"\n")
	if err := cmd.Wait(); err != nil || w.Count(assumeRole) != 1 || strings.Count(screen.String(), codePrompt) != 1 {
		t.Errorf("%v, calls %v, screen:\n%s", err, w.Names(), screen.String())
	}
	if out, err := os.ReadFile(w.path("out")); err != nil || !strings.Contains(string(out), `"SessionToken"`) {
		t.Errorf("%q, %v", out, err)
	}
}

//go:build unix

package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

const (
	codePrompt       = "\ntoken code: " // messages name a token code as well
	passphrasePrompt = "passphrase: "
)

// promptWorld is the real program on real terminals, with nobody but the
// person at the keyboard to answer.
type promptWorld struct{ *clientWorld }

func newPromptWorld(t *testing.T) promptWorld { return promptWorld{newClientWorld(t, false)} }

// on starts a program on a terminal of its own. Its stdin is not the
// terminal, and its stdout and stderr are pipes, as an SDK has them.
func (w promptWorld) on(t *testing.T, name string, args ...string) *terminaltest.Session {
	t.Helper()
	return w.onWith(t, "", name, args...)
}

func (w promptWorld) onWith(t *testing.T, stdin, name string, args ...string) *terminaltest.Session {
	t.Helper()
	cmd := exec.Command(w.find(name), args...)
	cmd.Env, cmd.Dir, cmd.Stdin = w.env, w.home, strings.NewReader(stdin)
	return terminaltest.Start(t, cmd)
}

// ends checks what holds for every end: the exit code, one question for each
// code, the terminal restored, nobody left, and on failure an empty stdout.
func (w promptWorld) ends(t *testing.T, s *terminaltest.Session, code, questions int) {
	t.Helper()
	s.Wait()
	if got := s.Cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d; screen:\n%s\nstderr:\n%s\ncalls %v", got, code, s.Screen(), s.Stderr.String(), w.Names())
	}
	if n := strings.Count(s.Screen(), codePrompt); n != questions {
		t.Errorf("%d questions, want %d:\n%s", n, questions, s.Screen())
	}
	if out := s.Stdout.String(); code != 0 && out != "" {
		t.Errorf("stdout %q of a failure", out)
	}
	s.Restored()
}

// answered checks the one JSON object on stdout.
func answered(t *testing.T, s *terminaltest.Session) {
	t.Helper()
	var answer struct{ SessionToken string }
	if err := json.Unmarshal([]byte(s.Stdout.String()), &answer); err != nil || answer.SessionToken == "" {
		t.Errorf("stdout %q: %v", s.Stdout.String(), err)
	}
}

// The ways in which a question can end, under what asks: a helper that an SDK
// would run, and exec.
func TestPromptMatrix(t *testing.T) {
	cases := map[string]struct {
		act       func(w promptWorld, s *terminaltest.Session)
		code      int
		questions int
	}{
		"right code": {func(w promptWorld, s *terminaltest.Session) {
			c := w.device.FreshCode()
			s.Types(c[:3] + " " + c[3:] + "\n")
		}, 0, 1},
		"wrong then right": {func(w promptWorld, s *terminaltest.Session) {
			s.Types(w.device.WrongCode() + "\n")
			s.Sees("AWS refused the token code: it is wrong, too old or from another device (tries left: 2)", 1)
			s.Sees(codePrompt, 2)
			s.Types(w.device.FreshCode() + "\n")
		}, 0, 2},
		"too short then right": {func(w promptWorld, s *terminaltest.Session) {
			s.Types("12345\n")
			s.Sees("six digits", 1)
			s.Sees(codePrompt, 2)
			s.Types(w.device.FreshCode() + "\n")
		}, 0, 2},
		"three wrong": {func(w promptWorld, s *terminaltest.Session) {
			for n := 1; n <= 3; n++ {
				s.Sees(codePrompt, n)
				s.Types(fmt.Sprintf("00000%d\n", n)) // each is refused once
			}
		}, exitRefused, 3},
		"empty then right": {func(w promptWorld, s *terminaltest.Session) {
			s.Types("\n")
			s.Sees("nothing was typed: the token code is needed", 1)
			s.Sees(codePrompt, 2)
			s.Types(w.device.FreshCode() + "\n")
		}, 0, 2},
		"ctrl-d":  {func(_ promptWorld, s *terminaltest.Session) { s.Types("\x04") }, exitNoCode, 1},
		"ctrl-c":  {func(_ promptWorld, s *terminaltest.Session) { s.Types("12\x03") }, 130, 1},
		"ctrl-\\": {func(_ promptWorld, s *terminaltest.Session) { s.Types("12\x1c") }, 131, 1},
		"sigabrt": {func(_ promptWorld, s *terminaltest.Session) { s.Signal(syscall.SIGABRT) }, 134, 1},
		"sigterm": {func(_ promptWorld, s *terminaltest.Session) { s.Signal(syscall.SIGTERM) }, 143, 1},
		"sighup":  {func(_ promptWorld, s *terminaltest.Session) { s.Signal(syscall.SIGHUP) }, 129, 1},
		"sigkill": {func(_ promptWorld, s *terminaltest.Session) { s.Signal(syscall.SIGKILL) }, -1, 1},
		"stopped and continued": {func(w promptWorld, s *terminaltest.Session) {
			s.Signal(syscall.SIGSTOP)
			s.Signal(syscall.SIGCONT)
			s.Sees(codePrompt, 2)
			s.Types(w.device.FreshCode() + "\n")
		}, 0, 2},
	}
	for name, c := range cases {
		for _, command := range [][]string{{"credential-process", "admin"}, {"exec", "admin", "--", "echo", "done"}} {
			t.Run(name+"/"+command[0], func(t *testing.T) {
				t.Parallel()
				w := newPromptWorld(t)
				s := w.on(t, "groat", command...)
				s.Sees(codePrompt, 1)
				if !strings.Contains(s.Screen(), mfaSerial) || !strings.Contains(s.Screen(), "admin-role") {
					t.Errorf("the question does not say for what:\n%s", s.Screen())
				}
				c.act(w, s)
				w.ends(t, s, c.code, c.questions)
				if n := strings.Count(s.Screen(), "AWS wants a token code"); n != 1 && c.questions > 0 && !strings.HasPrefix(name, "stopped") {
					t.Errorf("the title is shown %d times:\n%s", n, s.Screen())
				}
				if c.code != 0 {
					return
				}
				if command[0] == "exec" {
					if out := s.Stdout.String(); out != "done\n" {
						t.Errorf("stdout %q", out)
					}
				} else {
					answered(t, s)
				}
				if w.Count("sts:AssumeRole") != 1 {
					t.Errorf("calls %v", w.Names())
				}
			})
		}
	}
}

// The window is closed: nobody can answer any more, and nobody waits.
func TestTerminalCloses(t *testing.T) {
	w := newPromptWorld(t)
	for _, nohup := range []bool{false, true} {
		name, args := "groat", []string{"credential-process", "admin"}
		if nohup {
			name, args = "nohup", append([]string{w.find("groat")}, args...)
		}
		s := w.on(t, name, args...)
		s.Sees(codePrompt, 1)
		s.Close()
		s.Wait()
		if code := s.Cmd.ProcessState.ExitCode(); code != 129 && code != exitNoCode || s.Stdout.String() != "" {
			t.Errorf("exit code %d, stdout %q, stderr:\n%s", code, s.Stdout.String(), s.Stderr.String())
		}
	}
}

// A code that AWS has taken is not sent again, by any process.
func TestUsedCodeIsAskedAgain(t *testing.T) {
	w := newPromptWorld(t)
	code := w.device.FreshCode()
	s := w.on(t, "groat", "credential-process", "admin")
	s.Sees(codePrompt, 1)
	s.Types(code + "\n")
	w.ends(t, s, 0, 1)
	w.must(w.command("", "groat", "clear"))
	w.ResetCalls()
	s = w.on(t, "groat", "exec", "readonly", "--", "true")
	s.Sees(codePrompt, 1)
	s.Types(code + "\n")
	s.Sees("already used: wait for the next one", 1)
	s.Sees(codePrompt, 2)
	if w.Count("") != 0 {
		t.Errorf("the spent code was sent: %v", w.Names())
	}
	s.Types(w.device.FreshCode() + "\n")
	w.ends(t, s, 0, 2)
}

// A background job neither asks nor stops.
func TestBackgroundJobDoesNotAsk(t *testing.T) {
	w := newPromptWorld(t)
	s := w.on(t, "sh", "-c", "set -m; groat credential-process admin & wait $!")
	w.ends(t, s, exitNoCode, 0)
	if !strings.Contains(s.Stderr.String(), "background") {
		t.Errorf("stderr %q", s.Stderr.String())
	}
}

// With nobody to ask: exit 5 at once, one line that says what to run. How
// busy the machine is shows in a run that fails before it needs a code.
func TestNobodyToAsk(t *testing.T) {
	w := newPromptWorld(t)
	fastest := func(env []string, words ...string) (r ran, took time.Duration) {
		took = time.Minute
		for range 3 {
			start := time.Now()
			r = w.commandWith(env, "", "groat", words...)
			took = min(took, time.Since(start))
		}
		return r, took
	}
	_, usual := fastest(nil, "credential-process", "no-such-profile")
	for _, env := range [][]string{{}, {"SSH_CONNECTION=::1 1 ::1 22", "DISPLAY=:0"}, {"DISPLAY=:4711"}, {"GROAT_NO_INPUT=1"}, {"GROAT_PROMPT=none"}} {
		r, took := fastest(env, "credential-process", "admin")
		if r.code != exitNoCode || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "groat exec admin") {
			t.Errorf("%v: %+v", env, r)
		}
		if took > usual*10+time.Second {
			t.Errorf("%v: %v until it gave up, and %v for a slip of the finger", env, took, usual)
		}
	}
	w.calls()
}

// Many processes of one job, as terraform starts them, and one question.
func TestManyProcessesAskOnce(t *testing.T) {
	w := newPromptWorld(t)
	s := w.on(t, "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do groat credential-process admin & groat credential-process readonly & done; wait")
	s.Sees(codePrompt, 1)
	s.Types(w.device.FreshCode() + "\n")
	w.ends(t, s, 0, 1)
	if n := strings.Count(s.Stdout.String(), "\n"); n != 16 {
		t.Errorf("%d answers; stderr:\n%s", n, s.Stderr.String())
	}
	w.calls("sts:GetSessionToken", "sts:AssumeRole", "sts:AssumeRole")
}

// The one who asks is killed: the next one asks.
func TestNextAsksAfterAKill(t *testing.T) {
	w := newPromptWorld(t)
	first := w.on(t, "groat", "credential-process", "admin")
	first.Sees(codePrompt, 1)
	second := w.on(t, "groat", "credential-process", "readonly")
	first.Signal(syscall.SIGKILL)
	w.ends(t, first, -1, 1)
	second.Sees(codePrompt, 1)
	second.Types(w.device.FreshCode() + "\n")
	w.ends(t, second, 0, 1)
}

// The vault's passphrase takes the same road, without an echo. A new one is
// asked for twice, a wrong one again.
func TestPassphraseOnTheTerminal(t *testing.T) {
	w := newPromptWorld(t)
	w.env = append(w.env, "GROAT_FILE_DIR="+w.path("other"), "GROAT_UNLOCK_FOR=0")
	w.typedPassphrase(t)
	add := func() *terminaltest.Session {
		return w.onWith(t, w.key.ID+" "+w.key.Secret+"\n", "groat", "add", "default", "--stdin")
	}

	s := add()
	s.Sees(passphrasePrompt, 1)
	if s.Echo() {
		t.Error("the echo is on")
	}
	s.Sees("Your keys will be kept in a new file vault", 1)
	s.Types("half a passphrase\x03")
	w.ends(t, s, 130, 0)

	s = add()
	s.Sees(passphrasePrompt, 1)
	s.Types("one thing\n")
	s.Sees(passphrasePrompt, 2)
	s.Types("another\n")
	s.Sees("the two passphrases differ", 1)
	s.Sees(passphrasePrompt, 3)
	s.Types("tr0ub4dor\n")
	s.Sees(passphrasePrompt, 4)
	s.Types("tr0ub4dor\n")
	w.ends(t, s, 0, 0)
	if strings.Contains(s.Screen()+s.Stderr.String(), "tr0ub4dor") {
		t.Error("the passphrase was shown")
	}

	s = w.on(t, "groat", "credential-process", "admin")
	s.Sees(passphrasePrompt, 1)
	s.Types("wrong\n")
	s.Sees("wrong passphrase (tries left: 2)", 1)
	s.Sees(passphrasePrompt, 2)
	s.Types("tr0ub4dor\n")
	s.Sees(codePrompt, 1)
	s.Types(w.device.FreshCode() + "\n")
	w.ends(t, s, 0, 1)
	answered(t, s)

	r := w.command("", "groat", "credential-process", "admin", "--no-cache", "--no-input")
	if r.code != exitVault || r.stdout != "" || !strings.Contains(r.stderr, "groat unlock") {
		t.Errorf("%+v", r)
	}
}

// Many processes find the vault locked: one passphrase opens it for all,
// where the kernel can remember its key, and one code is enough.
func TestManyProcessesAskForOnePassphrase(t *testing.T) {
	w := newPromptWorld(t)
	w.typedPassphrase(t)
	if r := w.commandWith([]string{passphraseVariable + "=correct horse"}, "", "groat", "unlock", "--for", "1m"); r.code != 0 {
		t.Skipf("no unlock memory here: %s", r.stderr)
	}
	t.Cleanup(func() {
		lock := exec.Command(w.find("groat"), "lock")
		lock.Env = w.env
		_ = lock.Run()
	})
	w.must(w.command("", "groat", "lock"))
	s := w.on(t, "sh", "-c", "for i in 1 2 3 4; do groat credential-process admin & groat credential-process readonly & done; wait")
	s.Sees(passphrasePrompt, 1)
	s.Types("correct horse\n")
	s.Sees(codePrompt, 1)
	s.Types(w.device.FreshCode() + "\n")
	w.ends(t, s, 0, 1)
	if n := strings.Count(s.Screen(), passphrasePrompt); n != 1 || strings.Count(s.Stdout.String(), "\n") != 8 {
		t.Errorf("%d questions for the passphrase; stdout %q\nstderr:\n%s", n, s.Stdout.String(), s.Stderr.String())
	}
}

// typedPassphrase takes the passphrase out of the environment.
func (w promptWorld) typedPassphrase(t *testing.T) {
	t.Helper()
	for i, kv := range w.env {
		if strings.HasPrefix(kv, passphraseVariable+"=") {
			w.env[i] = "UNUSED="
		}
	}
}

// Several devices: one choice, remembered in the config.
func TestChoiceOfDeviceIsRemembered(t *testing.T) {
	w := newPromptWorld(t)
	second := w.user.AddMFA()
	w.write("config", "[default]\nregion = eu-west-1\n")
	s := w.onWith(t, w.key.ID+" "+w.key.Secret+"\n", "groat", "add", "default", "--stdin", "--overwrite")
	s.Sees("number or part of a name: ", 1)
	s.Sees(second.Serial, 1)
	s.Types("2\n")
	w.ends(t, s, 0, 0)
	b, err := os.ReadFile(w.path("config"))
	if err != nil || !strings.Contains(string(b), "mfa_serial") {
		t.Fatalf("%s, %v", b, err)
	}
	s = w.on(t, "groat", "exec", "default", "--", "true")
	s.Sees(codePrompt, 1)
	if !strings.Contains(string(b), second.Serial) || !strings.Contains(s.Screen(), second.Serial) {
		t.Errorf("another device is asked for:\n%s\n%s", b, s.Screen())
	}
	s.Types(second.FreshCode() + "\n")
	w.ends(t, s, 0, 1)
}

// slowVariable switches on what takes its time for real; CI sets it.
const slowVariable = "GROAT_TEST_SLOW"

// SDKs kill their helper after 60 s: silence ends before, with exit code 5.
func TestSilenceEndsBeforeTheSDKDoes(t *testing.T) {
	if os.Getenv(slowVariable) == "" {
		t.Skipf("%s is not set: this takes 55 s", slowVariable)
	}
	w := newPromptWorld(t)
	start := time.Now()
	s := w.on(t, "groat", "credential-process", "admin")
	s.Sees(codePrompt, 1)
	s.Types("123")
	done := make(chan struct{})
	go func() { _ = s.Cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("still asking")
	}
	if took := time.Since(start); took < 50*time.Second || took > 58*time.Second || s.Cmd.ProcessState.ExitCode() != exitNoCode || s.Stdout.String() != "" {
		t.Errorf("after %v: exit code %d, stdout %q, stderr %q", took, s.Cmd.ProcessState.ExitCode(), s.Stdout.String(), s.Stderr.String())
	}
	s.Restored()
}

// The same, with a deadline of a moment and a dialog that nobody answers.
func TestDeadlineIsExitFive(t *testing.T) {
	w := newPromptWorld(t)
	w.write("pinentry", "#!/bin/sh\nexec sleep 60\n")
	if err := os.Chmod(w.path("pinentry"), 0o700); err != nil {
		t.Fatal(err)
	}
	env := with(w.env, "PATH="+w.home+string(filepath.ListSeparator)+os.Getenv("PATH"), "GROAT_PROMPT=pinentry")
	var out, errs strings.Builder
	a := newApp(env, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	defer a.close()
	command, err := a.parse([]string{"exec", "admin", "--", "true"})
	if err != nil {
		t.Fatal(err)
	}
	a.prompts.deadline = 200 * time.Millisecond
	err = command.Run(t.Context(), a)
	if code := a.report(t.Context(), err); code != exitNoCode || out.Len() > 0 || !strings.Contains(errs.String(), "in time") {
		t.Errorf("exit code %d, %v, stdout %q, stderr %q", code, err, out.String(), errs.String())
	}
}

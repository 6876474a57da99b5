package cmd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
	"groat/session"
)

const consentConfig = `[profile always]
role_arn = arn:aws:iam::123456789012:role/readonly-role
source_profile = default
confirm = always
[profile quarter]
role_arn = arn:aws:iam::123456789012:role/readonly-role
source_profile = default
confirm = 15m
`

// consentWorld is a prompt world in which readonly-role's credentials are cached.
func consentWorld(t *testing.T) promptWorld {
	w := newPromptWorld(t)
	w.write("config", awsConfigOfThePeers+consentConfig)
	w.must(w.command("", "groat", "credential-process", "readonly", "--mfa-code", w.device.FreshCode()))
	return w
}

const agreePrompt = "hand them out?"

// A person is asked on the terminal before anything is handed out, cached or
// not; a yes counts for what was asked, and only where it is to be remembered.
func TestConsent(t *testing.T) {
	w := consentWorld(t)
	ask := func(keys string, code int, name string, args ...string) *terminaltest.Session {
		t.Helper()
		s := w.on(t, name, args...)
		asked := 0
		if keys != "" {
			s.Sees(agreePrompt, 1)
			s.Types(keys)
			asked = 1
		}
		s.Wait()
		if got := s.Cmd.ProcessState.ExitCode(); got != code || strings.Count(s.Screen(), agreePrompt) != asked || (code == 0) != strings.Contains(s.Stdout.String(), "SessionToken") {
			t.Errorf("%s %q: exit code %d, screen:\n%s\nstdout %q, stderr %s", name, args, got, s.Screen(), s.Stdout.String(), s.Stderr.String())
		}
		return s
	}
	first := ask("y\n", 0, "groat", "credential-process", "always")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{"always", "arn:aws:iam::123456789012:role/readonly-role", "groat credential-process", self} {
		if !strings.Contains(first.Screen(), shown) {
			t.Errorf("not shown: %s\n%s", shown, first.Screen())
		}
	}
	ask("n\n", exitNoCode, "groat", "credential-process", "always")
	ask("\n", exitNoCode, "groat", "credential-process", "always")
	ask("\x03", exitInterrupted, "groat", "credential-process", "always")
	ask("n\n", exitNoCode, "groat", "credential-process", "quarter")
	ask("y\n", 0, "groat", "credential-process", "quarter")
	ask("", 0, "groat", "credential-process", "quarter")
	ask("", 0, "groat", "export", "quarter", "--format", "json")
	ask("y\n", 0, "sh", "-c", "groat credential-process quarter; exit $?")
	ask("", 0, "sh", "-c", "groat credential-process quarter; exit $?")
	ask("n\n", exitNoCode, "bash", "-c", "groat credential-process quarter; exit $?")
	w.write("config", strings.Replace(w.read("config"), "[profile quarter]\n", "[profile quarter]\npolicy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess\n", 1))
	if s := ask("n\n", exitNoCode, "groat", "credential-process", "quarter"); !strings.Contains(s.Screen(), "policy/ReadOnlyAccess") {
		t.Errorf("the narrowing is not shown:\n%s", s.Screen())
	}
	if r := w.command("", "groat", "credential-process", "always"); r.code != exitNoCode || r.stdout != "" || !strings.Contains(r.stderr, "there is a terminal or a desktop") {
		t.Errorf("nobody: %+v", r)
	}
	if r := w.command("", "groat", "each", "always", "--", "true"); r.code == 0 {
		t.Errorf("each: %+v", r)
	}
}

// A yes is forgotten after 15 minutes, at the next start of the system, and
// where the clock was set back.
func TestConsentIsForgotten(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	m := memory{filepath.Join(t.TempDir(), "state", "consents.json")}
	if err := m.note("p", "k", now.Add(15*time.Minute), now); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]bool{0: true, 14 * time.Minute: true, 15 * time.Minute: false, -time.Minute: false} {
		if got := m.holds("p", "k", 15*time.Minute, now.Add(after)); got != want {
			t.Errorf("after %s: %v", after, got)
		}
	}
	r := consentRequest{profile: "p", role: "r", agent: "a", caller: "c", boot: "b", narrowing: []string{"n"}}
	for name, change := range map[string]func(*consentRequest){
		"profile": func(r *consentRequest) { r.profile = "x" }, "role": func(r *consentRequest) { r.role = "x" }, "agent": func(r *consentRequest) { r.agent = "" },
		"caller": func(r *consentRequest) { r.caller = "x" }, "boot": func(r *consentRequest) { r.boot = "x" }, "narrowing": func(r *consentRequest) { r.narrowing = nil },
	} {
		other := r
		change(&other)
		if other.key() == r.key() || len(r.key()) != len(session.NewKey()) {
			t.Errorf("another %s is the same question", name)
		}
	}
}

// Under an agent a window opens although there is a terminal, into which the
// agent could type.
func TestConsentInAWindow(t *testing.T) {
	if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_PROMPTS"), ","), "zenity") {
		t.Skip("GROAT_TEST_PROMPTS does not name zenity")
	}
	display := terminaltest.StartDisplay(t)
	w := consentWorld(t)
	w.env = append(w.env, "DISPLAY="+display.Name, "XDG_RUNTIME_DIR="+w.home, "NO_AT_BRIDGE=1", "CLAUDECODE=1")
	s := w.on(t, "groat", "credential-process", "always")
	display.Answer("", "alt+y")
	s.Wait()
	if code := s.Cmd.ProcessState.ExitCode(); code != 0 || strings.Contains(s.Screen(), agreePrompt) || !strings.Contains(s.Stdout.String(), "SessionToken") {
		t.Errorf("exit code %d, screen %q, stderr %s", code, s.Screen(), s.Stderr.String())
	}
	cmd := exec.CommandContext(t.Context(), w.find("groat"), "credential-process", "always")
	cmd.Env, cmd.Dir = w.env, w.home
	var out bytes.Buffer
	cmd.Stdout = &out
	detach(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	display.Answer("", "Escape")
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != exitNoCode || out.Len() > 0 {
		t.Errorf("Escape: exit code %d, %q", cmd.ProcessState.ExitCode(), out.String())
	}
}

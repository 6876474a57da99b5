//go:build unix

package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

const waitingFor = "groat: waiting for process "

// crowd starts a credential process for each profile, each on a terminal of
// its own, and waits until all of them wait for the one that asks.
func (w promptWorld) crowd(t *testing.T, profiles ...string) []*terminaltest.Session {
	t.Helper()
	var all []*terminaltest.Session
	for _, p := range profiles {
		all = append(all, w.on(t, "groat", "credential-process", p))
	}
	for _, s := range all {
		terminaltest.Eventually(t, waitingFor, func() bool { return strings.Contains(s.Stderr.String(), waitingFor) })
	}
	return all
}

// However a person declines the code, whoever was waiting is not asked.
func TestDeclinedCodeEndsForAll(t *testing.T) {
	for name, c := range map[string]struct {
		keys string
		code int
	}{"ctrl-d": {"\x04", exitNoCode}, "ctrl-c": {"\x03", 130}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPromptWorld(t)
			first := w.on(t, "groat", "credential-process", "admin")
			first.Sees(codePrompt, 1)
			others := w.crowd(t, "admin", "readonly", "admin", "readonly")
			first.Types(c.keys)
			w.ends(t, first, c.code, 1)
			for _, s := range others {
				w.ends(t, s, exitNoCode, 0)
				if !strings.Contains(s.Stderr.String(), "in another process: the prompt was cancelled\n") {
					t.Errorf("stderr %q", s.Stderr.String())
				}
			}
			w.calls()
		})
	}
}

// So it does for those of one process.
func TestEachAsksNobodyAgain(t *testing.T) {
	w := newPromptWorld(t)
	s := w.on(t, "groat", "each", "admin", "readonly", "default", "-j", "3", "--", "true")
	s.Sees(codePrompt, 1)
	s.Types("\x04")
	w.ends(t, s, exitNoCode, 1)
	if said := s.Stderr.String(); strings.Count(said, "the prompt was cancelled\n") != 1 || strings.Count(said, " (not run)\n") != 2 {
		t.Errorf("stderr %q", said)
	}
	w.calls()
}

// The same for the vault's passphrase, and for one that is wrong three times.
func TestDeclinedPassphraseEndsForAll(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		code int
	}{"ctrl-d": {[]string{"\x04"}, exitVault}, "ctrl-c": {[]string{"\x03"}, 130}, "wrong": {[]string{"1\n", "2\n", "3\n"}, exitVault}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPromptWorld(t)
			w.typedPassphrase(t)
			first := w.on(t, "groat", "credential-process", "admin")
			first.Sees(passphrasePrompt, 1)
			others := w.crowd(t, "admin", "readonly", "admin", "readonly")
			for i, keys := range c.keys {
				first.Sees(passphrasePrompt, i+1)
				first.Types(keys)
			}
			w.ends(t, first, c.code, 0)
			for _, s := range others {
				w.ends(t, s, exitVault, 0)
				if strings.Contains(s.Screen(), passphrasePrompt) || !strings.Contains(s.Stderr.String(), "in another process: ") {
					t.Errorf("screen %q, stderr %q", s.Screen(), s.Stderr.String())
				}
			}
			// Who comes later is asked.
			later := w.on(t, "groat", "list", "--json")
			later.Sees(passphrasePrompt, 1)
			later.Types("correct horse\n")
			w.ends(t, later, 0, 0)
		})
	}
}

// Killed or stopped at the passphrase: the next one asks. One that is given
// the passphrase waits for nobody's answer.
func TestPassphraseHolderIsGone(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSTOP} {
		t.Run(sig.String(), func(t *testing.T) {
			w := newPromptWorld(t)
			given := w.env
			w.env = append([]string(nil), w.env...)
			w.typedPassphrase(t)
			first := w.on(t, "groat", "list")
			first.Sees(passphrasePrompt, 1)
			if r := (promptWorld{&clientWorld{aws: w.aws, t: t, home: w.home, env: given}}).command("", "groat", "list"); r.code != 0 {
				t.Errorf("with the passphrase at hand: %+v", r)
			}
			second := w.crowd(t, "admin")[0]
			first.Signal(sig)
			second.Sees(passphrasePrompt, 1)
			second.Types("correct horse\n")
			second.Sees(codePrompt, 1)
			second.Types(w.device.FreshCode() + "\n")
			w.ends(t, second, 0, 1)
			_ = w.command("", "groat", "lock")
		})
	}
}

// Whoever waits for the passphrase goes on when the vault is unlocked by
// another road.
func TestUnlockElsewhereEndsTheWait(t *testing.T) {
	w := newPromptWorld(t)
	w.typedPassphrase(t)
	first := w.on(t, "groat", "list")
	first.Sees(passphrasePrompt, 1)
	second := w.crowd(t, "admin")[0]
	if r := w.commandWith([]string{passphraseVariable + "=correct horse"}, "", "groat", "unlock", "--for", "1m"); r.code != 0 {
		t.Skipf("no unlock memory here: %s", r.stderr)
	}
	t.Cleanup(func() {
		lock := exec.Command(w.find("groat"), "lock")
		lock.Env = w.env
		_ = lock.Run()
	})
	second.Sees(codePrompt, 1)
	second.Types(w.device.FreshCode() + "\n")
	w.ends(t, second, 0, 1)
	first.Types("\x04")
	w.ends(t, first, exitVault, 0)
}

// The key is replaced while a process waits for the one that asks: what it
// mints in the end is the new key's, and kept as that.
func TestKeyIsReplacedDuringTheWait(t *testing.T) {
	w := newPromptWorld(t)
	first := w.on(t, "groat", "credential-process", "admin")
	first.Sees(codePrompt, 1)
	second := w.crowd(t, "admin")[0]
	key := w.user.AddAccessKey()
	w.must(w.command(key.ID+" "+key.Secret+"\n", "groat", "add", "default", "--stdin", "--overwrite"))
	w.ResetCalls()
	first.Signal(syscall.SIGKILL)
	second.Sees(codePrompt, 1)
	second.Types(w.device.FreshCode() + "\n")
	w.ends(t, second, 0, 1)
	w.calls(getSessionToken, assumeRole)
	if again := w.must(w.command("", "groat", "credential-process", "admin")); again != strings.TrimSpace(second.Stdout.String()) {
		t.Error("it was not kept as the new key's")
	}
	w.calls()
}

// SDKs keep stderr to themselves: whom a process waits for is said on its
// terminal, once for all who wait there, and not where the question stands.
func TestWaitingIsSaidOnTheTerminal(t *testing.T) {
	w := newPromptWorld(t)
	ask := "groat credential-process admin & groat credential-process readonly & groat credential-process admin & wait"
	asking := w.on(t, "sh", "-c", ask)
	asking.Sees(codePrompt, 1)
	waiting := w.on(t, "sh", "-c", ask)
	waiting.Sees(waitingFor, 1)
	for _, s := range []*terminaltest.Session{asking, waiting} {
		want := map[*terminaltest.Session]int{asking: 2, waiting: 3}[s]
		terminaltest.Eventually(t, "every one that waits says so", func() bool { return strings.Count(s.Stderr.String(), waitingFor) == want })
	}
	asking.Types(w.device.FreshCode() + "\n")
	w.ends(t, asking, 0, 1)
	w.ends(t, waiting, 0, 0)
	if n := strings.Count(asking.Screen(), waitingFor); n != 0 {
		t.Errorf("over the question:\n%s", asking.Screen())
	}
	if n := strings.Count(waiting.Screen(), waitingFor); n != 1 && runtime.GOOS == "linux" {
		t.Errorf("the other terminal shows:\n%s", waiting.Screen())
	}
	for _, line := range strings.SplitAfter(waiting.Stderr.String(), "\n") {
		if line != "" && !strings.HasSuffix(line, ", profile \"admin\", which is asking for a token code\n") && !strings.HasSuffix(line, ", profile \"readonly\", which is asking for a token code\n") {
			t.Errorf("said %q", line)
		}
	}
	// Where stderr is the terminal, it is said once.
	w.must(w.command("", "groat", "clear"))
	asking = w.on(t, "groat", "exec", "admin", "--", "true")
	asking.Sees(codePrompt, 1)
	cmd := exec.Command(w.find("groat"), "exec", "admin", "--", "echo", "done")
	cmd.Env, cmd.Dir = w.env, w.home
	s := terminaltest.StartAttached(t, cmd)
	s.Sees(waitingFor, 1)
	asking.Types(w.device.FreshCode() + "\n")
	s.Sees("done", 1)
	if n := strings.Count(s.Screen(), waitingFor); n != 1 {
		t.Errorf("said %d times:\n%s", n, s.Screen())
	}
}

// A question that nobody could answer in time is not shown: those who waited
// in vain for another's would show theirs for a moment, one after the other.
func TestTooLateToAsk(t *testing.T) {
	w := newPromptWorld(t)
	w.write("pinentry", "#!/bin/sh\necho >>$HOME/asked\n")
	if err := os.Chmod(w.path("pinentry"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "PATH="+w.home+string(filepath.ListSeparator)+os.Getenv("PATH"), "GROAT_PROMPT=pinentry")
	for _, code := range []int{exitNoCode, exitVault} {
		if code == exitVault {
			w.typedPassphrase(t)
		}
		var out, errs strings.Builder
		a := newApp(w.env, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		defer a.close()
		command, err := a.parse([]string{"credential-process", "admin"})
		if err != nil {
			t.Fatal(err)
		}
		a.prompts.started = time.Now().Add(answerTime - time.Second - credentialProcessDeadline)
		if got := a.report(t.Context(), command.Run(t.Context(), a)); got != code || out.Len() > 0 || !strings.Contains(errs.String(), "no answer in time") {
			t.Errorf("exit code %d, want %d, stdout %q, stderr %q", got, code, out.String(), errs.String())
		}
		if _, err := os.Stat(w.path("asked")); err == nil {
			t.Error("it was asked all the same")
		}
	}
}

package cmd

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"groat/cmd/terminal/terminaltest"
)

// ending are the signals that end the program, each with its exit code, one
// line and the terminal as it was.
var ending = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGABRT}

// diesOf sends a signal and checks that nothing but "interrupted" is said.
func (w promptWorld) diesOf(t *testing.T, s *terminaltest.Session, sig syscall.Signal) {
	t.Helper()
	said := s.Stderr.String()
	s.Signal(sig)
	s.Ends(128+int(sig), "")
	if last := strings.TrimPrefix(s.Stderr.String(), said); last != "groat: interrupted\n" {
		t.Errorf("%v: said %q", sig, last)
	}
}

// Whatever is being asked, by whichever command.
func TestSignalsAtEveryQuestion(t *testing.T) {
	w := newPromptWorld(t)
	w.user.AddMFA()
	w.write("config", "[default]\nregion = eu-west-1\n")
	locked := promptWorld{&clientWorld{aws: w.aws, t: t, home: w.home, env: append(slices.Clone(w.env), "GROAT_UNLOCK_FOR=0")}}
	locked.typedPassphrase(t)
	fresh := promptWorld{&clientWorld{aws: w.aws, t: t, home: w.home, env: append(slices.Clone(locked.env), "GROAT_FILE_DIR="+w.path("fresh"))}}
	id := w.key.ID + " " + w.key.Secret + "\n"
	for name, c := range map[string]struct {
		w      promptWorld
		stdin  string
		words  string
		typed  [][2]string // a question and its answer, before the one that is not answered
		prompt string
	}{
		"key ID":         {w, "", "add other", nil, "access key ID"},
		"secret key":     {w, "", "add other", [][2]string{{"access key ID", w.key.ID + "\n"}}, "secret access key"},
		"token code":     {w, "", "exec default --mfa-serial " + mfaSerial + " -- true", nil, codePrompt},
		"device":         {w, id, "add default --stdin --overwrite", nil, "part of a name: "},
		"removal":        {w, "", "remove default", nil, "[y/N]: "},
		"passphrase":     {locked, "", "list", nil, passphrasePrompt},
		"wrong":          {locked, "", "list", [][2]string{{passphrasePrompt, "wrong\n"}}, "tries left: 2"},
		"new passphrase": {fresh, id, "add default --stdin --mfa-serial none", nil, "new passphrase: "},
		"its repetition": {fresh, id, "add default --stdin --mfa-serial none", [][2]string{{"new passphrase: ", "sesame\n"}}, "repeat the passphrase: "},
	} {
		t.Run(name, func(t *testing.T) {
			for _, sig := range ending {
				s := c.w.onWith(t, c.stdin, "groat", strings.Fields(c.words)...)
				for _, answer := range c.typed {
					s.Sees(answer[0], 1)
					s.Types(answer[1])
				}
				s.Sees(c.prompt, 1)
				s.Types("half")
				c.w.diesOf(t, s, sig)
			}
		})
	}
}

// Where nobody is asked: while another process is waited for, and while stdin
// is read.
func TestSignalsWhileNothingIsAsked(t *testing.T) {
	w := newPromptWorld(t)
	asking := w.on(t, "groat", "credential-process", "admin")
	asking.Sees(codePrompt, 1)
	for _, sig := range ending {
		w.diesOf(t, w.crowd(t, "readonly")[0], sig)

		r, stdin, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(w.find("groat"), "add", "other", "--stdin")
		cmd.Env, cmd.Dir, cmd.Stdin = w.env, w.home, r
		s := terminaltest.Start(t, cmd)
		_, _ = stdin.WriteString("half a key")
		terminaltest.Eventually(t, "the reading", func() bool {
			unread, err := unix.IoctlGetInt(int(r.Fd()), unix.TIOCINQ)
			return err == nil && unread == 0
		})
		w.diesOf(t, s, sig)
		_, _ = stdin.Close(), r.Close()
	}
	asking.Types("\x03")
	w.ends(t, asking, 130, 1)
}

//go:build unix

package terminal

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

const asks = "token code: "

func TestCodeOnTerminal(t *testing.T) {
	s := onTerminal(t, "code")
	s.Sees(asks, 1)
	if got := s.Termios(); got != s.Before {
		t.Errorf("a code prompt changes the terminal: a killed process could not put it back")
	}
	s.Types(" 123 456 \n")
	s.Ends(0, "answer=123456\n")
	screen := s.Screen()
	for _, want := range []string{"token code for the MFA device", "profile  admin\r\n", "mfa/al<b>i</b>ce_x", " 123 456 "} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%q", want, screen)
		}
	}
	if strings.Contains(screen, "role") || strings.Contains(screen, "\x1b") {
		t.Errorf("the screen shows an empty detail or a control sequence:\n%q", screen)
	}
}

func TestMalformedCodeIsAskedAgain(t *testing.T) {
	s := onTerminal(t, "code")
	s.Sees(asks, 1)
	s.Types("12345\n")
	s.Sees(asks, 2)
	s.Types("12a456\n")
	s.Sees("a token code is six digits", 2)
	s.Types("\t654321\n")
	s.Ends(0, "answer=654321\n")
}

// What is asked again is asked in short, and not for ever.
func TestMalformedCodeForEver(t *testing.T) {
	s := onTerminal(t, "code")
	for n := 1; n <= maxTries; n++ {
		s.Sees(asks, n)
		s.Types("nonsense\n")
	}
	s.Ends(6, "error=cancelled")
	if n := strings.Count(s.Screen(), "token code for the MFA device"); n != 1 {
		t.Errorf("the title stands there %d times:\n%s", n, s.Screen())
	}
}

// What is typed before a question was typed for something else.
func TestTypedAheadIsDropped(t *testing.T) {
	s := onTerminal(t, "twice")
	s.Sees(asks, 1)
	s.Types("111111\n222222\n")
	s.Sees(asks, 2)
	s.Types("333333\n")
	s.Ends(0, "answer=111111,333333\n")
}

// Two lines that were pasted at once answer the two questions, and neither is
// shown.
func TestPastedPair(t *testing.T) {
	s := onTerminal(t, "pair")
	s.Sees("ID: ", 1)
	s.Types("AKIAEXAMPLE\nwJalrXUtnFEMI\n")
	s.Ends(0, "answer=AKIAEXAMPLE,wJalrXUtnFEMI\n")
	if screen := s.Screen(); strings.Contains(screen, "wJal") || strings.Contains(screen, "AKIA") {
		t.Errorf("a secret is on the screen:\n%q", screen)
	}
}

// While a secret is checked, what is typed is neither shown nor taken for the
// next answer; in the end the echo is back and the shell gets none of it.
func TestTypedWhileASecretIsChecked(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{helperVar + "=checked", "PATH=" + os.Getenv("PATH")}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = r
	s := terminaltest.Start(t, cmd)
	_ = r.Close()
	for n, checking := range []string{"checking 1", "checking 2"} {
		s.Sees("passphrase: ", n+1)
		s.Types("correct horse\n")
		terminaltest.Eventually(t, checking, func() bool { return strings.Contains(s.Stderr.String(), checking) })
		if s.Echo() {
			t.Errorf("%s: the echo is on", checking)
		}
		s.Types("staple\n")
		_, _ = w.WriteString("done\n")
	}
	s.Sees(asks, 1)
	if !s.Echo() {
		t.Error("a token code is not shown")
	}
	s.Types("123456\n")
	s.Ends(0, "answer=123456\n")
	if n := s.Pending(); n != 0 {
		t.Errorf("%d typed bytes are left for the shell", n)
	}
	if strings.Contains(s.Screen(), "staple") {
		t.Errorf("the secret is on the screen:\n%q", s.Screen())
	}
}

func TestSecretIsNotShown(t *testing.T) {
	s := onTerminal(t, "secret")
	s.Sees("passphrase: ", 1)
	if s.Echo() {
		t.Error("echo is on")
	}
	s.Types(" correct horse \n")
	s.Ends(0, "answer= correct horse \n")
	if strings.Contains(s.Screen(), "horse") {
		t.Errorf("the secret is on the screen:\n%q", s.Screen())
	}
}

func TestLineAndDefault(t *testing.T) {
	s := onTerminal(t, "line", "HELPER_DEFAULT=eu-west-1")
	s.Sees("[eu-west-1]: ", 1)
	s.Types("\n")
	s.Ends(0, "answer=eu-west-1\n")

	s = onTerminal(t, "line")
	s.Sees(": ", 1)
	s.Types("  x y \n")
	s.Ends(0, "answer=x y\n")
}

func TestConfirm(t *testing.T) {
	for keys, want := range map[string]string{"y\n": "true", "YES\n": "true", "\n": "false", "n\n": "false", "yess\n": "false", "\x04": "false"} {
		for _, what := range []string{"confirm", "approve", "approve-window"} { // no window can open here
			s := onTerminal(t, what)
			s.Sees("[y/N]: ", 1)
			s.Types(keys)
			s.Ends(0, "answer="+want+"\n")
		}
	}
}

func TestChoose(t *testing.T) {
	s := onTerminal(t, "choose")
	s.Sees("number or part of a name: ", 1)
	s.Types("2\n")
	s.Ends(0, "answer=1\n")

	s = onTerminal(t, "choose")
	s.Sees("part of a name: ", 1)
	s.Types("stg\n")
	s.Ends(0, "answer=3\n")

	s = onTerminal(t, "choose")
	s.Sees("part of a name: ", 1)
	s.Types("nowhere\n")
	s.Sees("nothing matches", 1)
	s.Sees("part of a name: ", 2)
	s.Types("admin\n")
	s.Sees("part of a name: ", 3)
	s.Types("dev-admin\n")
	s.Ends(0, "answer=0\n")
}

func TestCancel(t *testing.T) {
	for _, keys := range []string{"\x04", "12\x04\x04", "12\x1b\n"} {
		s := onTerminal(t, "code")
		s.Sees(asks, 1)
		s.Types(keys)
		s.Ends(6, "error=cancelled")
	}
	s := onTerminal(t, "secret")
	s.Sees(": ", 1)
	s.Types("abc\x1b\n")
	s.Ends(6, "error=cancelled")
}

// Enter alone is a slip of the finger: it is said what is wanted.
func TestEmptyAnswerIsAskedAgain(t *testing.T) {
	for what, prompt := range map[string]string{"code": "token code", "secret": "passphrase", "choose": "number or part of a name"} {
		s := onTerminal(t, what)
		s.Sees(prompt+": ", 1)
		s.Types("\n")
		s.Sees("nothing was typed: the "+prompt+" is needed\r\n", 1)
		s.Sees(prompt+": ", 2)
		s.Types("\x04")
		s.Ends(6, "error=cancelled")
	}
}

func TestEndOfFileAfterText(t *testing.T) {
	s := onTerminal(t, "code")
	s.Sees(asks, 1)
	s.Types("123\x04456\n") // Ctrl-D in mid-line hands over, it does not end
	s.Ends(0, "answer=123456\n")
}

func TestSignals(t *testing.T) {
	for _, what := range []string{"code", "secret"} {
		for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129, syscall.SIGQUIT: 131, syscall.SIGABRT: 134} {
			s := onTerminal(t, what)
			s.Sees(": ", 1)
			s.Sees(map[string]string{"code": asks, "secret": "passphrase: "}[what], 1)
			s.Types("half")
			s.Signal(sig)
			s.Ends(code, "error=signal")
			if n := s.Pending(); n != 0 {
				t.Errorf("%v: %d typed bytes are left for the shell", sig, n)
			}
		}
	}
}

func TestCtrlC(t *testing.T) {
	s := onTerminal(t, "secret")
	s.Sees("passphrase: ", 1)
	s.Types("hunter2\x03")
	s.Ends(130, "error=signal")
}

func TestDeadline(t *testing.T) {
	s := onTerminal(t, "secret", "HELPER_DEADLINE=300ms")
	s.Sees("passphrase: ", 1)
	s.Types("abc")
	s.Ends(7, "error=timeout")

	s = onTerminal(t, "twice", "HELPER_DEADLINE=2s") // one bound for all questions
	s.Sees(asks, 1)
	s.Types("123456\n")
	s.Sees(asks, 2)
	s.Ends(7, "error=timeout")
}

func TestTerminalClosed(t *testing.T) {
	s := onTerminal(t, "secret")
	s.Sees("passphrase: ", 1)
	s.Close() // SIGHUP to the session leader, EIO for everybody
	s.Wait()
	if c := s.Cmd.ProcessState.ExitCode(); c != 129 && c != 5 {
		t.Errorf("exit code %d, want 129 or 5; stdout %q", c, s.Stdout.String())
	}
}

// A process that ignores SIGHUP (nohup) learns of the hang-up all the same.
func TestTerminalClosedUnderNohup(t *testing.T) {
	cmd := exec.Command("nohup", os.Args[0])
	cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
	s := terminaltest.Start(t, cmd)
	s.Sees(asks, 1)
	s.Close()
	s.Wait()
	if c := s.Cmd.ProcessState.ExitCode(); c != 5 || !strings.Contains(s.Stdout.String(), "the terminal was closed") {
		t.Errorf("exit code %d, stdout %q", c, s.Stdout.String())
	}
}

func TestStopAndContinue(t *testing.T) {
	for _, what := range []string{"code", "secret"} {
		prompt := map[string]string{"code": asks, "secret": "passphrase: "}[what]
		cmd := exec.Command("sh", "-c", `set -m; "$0"; code=$?; echo "stopped $code" >&2; read go; fg >/dev/null; exit $?`, os.Args[0])
		cmd.Env = []string{helperVar + "=" + what, "PATH=" + os.Getenv("PATH")}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = r
		s := terminaltest.Start(t, cmd)
		_ = r.Close()
		s.Sees(prompt, 1)
		s.Types("\x1a")
		terminaltest.Eventually(t, "the shell's own prompt", func() bool { return s.Termios() == s.Before && s.Foreground() == cmd.Process.Pid })
		_, _ = w.WriteString("go\n")
		_ = w.Close()
		s.Sees(prompt, 2)
		s.Types("123456\n")
		s.Ends(0, "answer=123456\n")
	}
}

// Ctrl-Z in an orphaned process group has nobody who could continue us.
func TestStopWithoutJobControl(t *testing.T) {
	s := onTerminal(t, "secret")
	s.Sees("passphrase: ", 1)
	s.Types("\x1a")
	s.Sees("passphrase: ", 2)
	s.Types("pw\n")
	s.Ends(0, "answer=pw\n")
}

func TestBackgroundJobDoesNotHang(t *testing.T) {
	for _, tostop := range []string{"stty tostop <&3;", ""} {
		cmd := exec.Command("sh", "-c", `set -m; `+tostop+` "$0" & wait $!; exit $?`, os.Args[0])
		cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
		s := terminaltest.Start(t, cmd)
		s.Wait()
		if c := s.Cmd.ProcessState.ExitCode(); c != 5 || !strings.Contains(s.Stdout.String(), "background") {
			t.Errorf("exit code %d, stdout %q", c, s.Stdout.String())
		}
		if strings.Contains(s.Screen(), asks) {
			t.Errorf("a background job wrote its question over the shell:\n%s", s.Screen())
		}
	}
}

func TestTwoProcessesAskOneAfterTheOther(t *testing.T) {
	cmd := exec.Command("sh", "-c", `"$0" >&2 & "$0" >&2; wait; echo done`, os.Args[0])
	cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
	s := terminaltest.Start(t, cmd)
	s.Sees(asks, 1)
	time.Sleep(3 * tick) // the other one must not ask meanwhile
	if n := strings.Count(s.Screen(), asks); n != 1 {
		t.Fatalf("%d questions stand at once:\n%s", n, s.Screen())
	}
	s.Types("111111\n")
	s.Sees(asks, 2)
	s.Types("222222\n")
	s.Ends(0, "done")
	if e := s.Stderr.String(); !strings.Contains(e, "answer=111111") || !strings.Contains(e, "answer=222222") {
		t.Errorf("codes went astray:\n%s", e)
	}
}

func TestNoTerminal(t *testing.T) {
	run := func(env ...string) (int, string) {
		cmd := exec.Command("setsid", "-w", os.Args[0])
		cmd.Env = append([]string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}, env...)
		out, _ := cmd.Output()
		return cmd.ProcessState.ExitCode(), string(out)
	}
	for _, c := range []struct{ env, want string }{
		{"X=", "there is no terminal, and there is no display"},
		{"DISPLAY=:4711", "the display does not answer"},
		{"WAYLAND_DISPLAY=/nonexistent/wayland", "the display does not answer"},
		{"HELPER_DRIVER=terminal", "there is no terminal"},
		{"HELPER_DRIVER=none", "--prompt none"},
		{"HELPER_NO_INPUT=1", "--no-input"},
		{"HELPER_DRIVER=wincredui", "wincredui"},
		{"HELPER_DRIVER=osascript", "not on the PATH"},
	} {
		code, out := run(c.env)
		if code != 5 || !strings.Contains(out, c.want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q; want 5, %q", c.env, code, out, c.want)
		}
	}
	if code, out := run("SSH_CONNECTION=1 2 3 4", "DISPLAY=:0"); code != 5 || !strings.Contains(out, "remote machine") {
		t.Errorf("bare ssh: exit code %d, %q", code, out)
	}
}

// Nobody can put anything back after SIGKILL, so nothing may be changed.
func TestKilledAtACode(t *testing.T) {
	s := onTerminal(t, "code")
	s.Sees(asks, 1)
	s.Signal(syscall.SIGKILL)
	s.Ends(-1, "")
}

// The program that started us is killed and its shell goes on: the question
// ends, whoever asks next is not kept waiting, and the shell is not disturbed.
func TestKilledParent(t *testing.T) {
	cmd := exec.Command("sh", "-c", `set -m; sh -c '"$0" & wait' "$0"; read line; echo "read $line"`, os.Args[0])
	cmd.Env = []string{helperVar + "=secret", "PATH=" + os.Getenv("PATH")}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = r
	s := terminaltest.Start(t, cmd)
	_ = r.Close()
	s.Sees("passphrase: ", 1)
	parent := s.Foreground()
	if err := syscall.Kill(parent, syscall.SIGKILL); err != nil || parent == cmd.Process.Pid {
		t.Fatal(parent, err)
	}
	terminaltest.Eventually(t, "the end of the orphan", func() bool { return strings.Contains(s.Stdout.String(), "error=noterminal") })
	if !s.Echo() {
		t.Error("the echo is off")
	}
	_, _ = w.WriteString("on\n")
	_ = w.Close()
	s.Wait()
	s.Restored()
	if !strings.Contains(s.Stdout.String(), "read on") {
		t.Errorf("stdout %q", s.Stdout.String())
	}
}

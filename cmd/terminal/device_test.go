//go:build unix

package terminal

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const asks = "token code: "

func TestCodeOnTerminal(t *testing.T) {
	s := onTerminal(t, "code")
	s.sees(asks, 1)
	if got := s.termios(); got != s.before {
		t.Errorf("a code prompt changes the terminal: a killed process could not put it back")
	}
	s.types(" 123 456 \n")
	s.ends(0, "answer=123456\n")
	screen := s.text()
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
	s.sees(asks, 1)
	s.types("12345\n")
	s.sees(asks, 2)
	s.types("12a456\n")
	s.sees("a token code is six digits", 2)
	s.types("\t654321\n")
	s.ends(0, "answer=654321\n")
}

func TestMalformedCodeForEver(t *testing.T) {
	s := onTerminal(t, "code")
	s.types(strings.Repeat("nonsense\n", maxTries))
	s.ends(6, "error=cancelled")
}

func TestTypedAheadIsKept(t *testing.T) {
	s := onTerminal(t, "twice")
	s.types("111111\n222222\n")
	s.ends(0, "answer=111111,222222\n")
}

func TestSecretIsNotShown(t *testing.T) {
	s := onTerminal(t, "secret")
	s.sees("passphrase: ", 1)
	if s.termios().Lflag&unix.ECHO != 0 {
		t.Error("echo is on")
	}
	s.types(" correct horse \n")
	s.ends(0, "answer= correct horse \n")
	if strings.Contains(s.text(), "horse") {
		t.Errorf("the secret is on the screen:\n%q", s.text())
	}
}

func TestLineAndDefault(t *testing.T) {
	s := onTerminal(t, "line", "HELPER_DEFAULT=eu-west-1")
	s.sees("[eu-west-1]: ", 1)
	s.types("\n")
	s.ends(0, "answer=eu-west-1\n")

	s = onTerminal(t, "line")
	s.sees(": ", 1)
	s.types("  x y \n")
	s.ends(0, "answer=x y\n")
}

func TestConfirm(t *testing.T) {
	for keys, want := range map[string]string{"y\n": "true", "YES\n": "true", "\n": "false", "n\n": "false", "yess\n": "false", "\x04": "false"} {
		s := onTerminal(t, "confirm")
		s.sees("[y/N]: ", 1)
		s.types(keys)
		s.ends(0, "answer="+want+"\n")
	}
}

func TestChoose(t *testing.T) {
	s := onTerminal(t, "choose")
	s.sees("number or part of a name: ", 1)
	s.types("2\n")
	s.ends(0, "answer=1\n")

	s = onTerminal(t, "choose")
	s.types("stg\n")
	s.ends(0, "answer=3\n")

	s = onTerminal(t, "choose")
	s.types("nowhere\nadmin\n")
	s.sees("nothing matches", 1)
	s.sees("part of a name: ", 3)
	s.types("dev-admin\n")
	s.ends(0, "answer=0\n")
}

func TestCancel(t *testing.T) {
	for _, keys := range []string{"\n", "\x04", "12\x1b\n", "  \n"} {
		s := onTerminal(t, "code")
		s.sees(asks, 1)
		s.types(keys)
		s.ends(6, "error=cancelled")
	}
	s := onTerminal(t, "secret")
	s.sees(": ", 1)
	s.types("abc\x1b\n")
	s.ends(6, "error=cancelled")
}

func TestEndOfFileAfterText(t *testing.T) {
	s := onTerminal(t, "code")
	s.sees(asks, 1)
	s.types("123\x04456\n") // Ctrl-D in mid-line hands over, it does not end
	s.ends(0, "answer=123456\n")
}

func TestSignals(t *testing.T) {
	for _, what := range []string{"code", "secret"} {
		for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129, syscall.SIGQUIT: 131} {
			s := onTerminal(t, what)
			s.sees(": ", 1)
			s.sees(map[string]string{"code": asks, "secret": "passphrase: "}[what], 1)
			s.types("half")
			s.signal(sig)
			s.ends(code, "error=signal")
			if n := pending(t, s); n != 0 {
				t.Errorf("%v: %d typed bytes are left for the shell", sig, n)
			}
		}
	}
}

// pending counts the typed lines' bytes that wait for the next reader.
func pending(t *testing.T, s *ptySession) int {
	t.Helper()
	s.types("\n") // half a line is not readable before its end
	if err := unix.SetNonblock(int(s.pts.Fd()), true); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64)
	n, err := unix.Read(int(s.pts.Fd()), buf)
	if err != nil {
		t.Fatal(err)
	}
	return n - 1
}

func TestCtrlC(t *testing.T) {
	s := onTerminal(t, "secret")
	s.sees("passphrase: ", 1)
	s.types("hunter2\x03")
	s.ends(130, "error=signal")
}

func TestDeadline(t *testing.T) {
	s := onTerminal(t, "secret", "HELPER_DEADLINE=300ms")
	s.sees("passphrase: ", 1)
	s.types("abc")
	s.ends(7, "error=timeout")

	s = onTerminal(t, "twice", "HELPER_DEADLINE=2s") // one bound for all questions
	s.sees(asks, 1)
	s.types("123456\n")
	s.sees(asks, 2)
	s.ends(7, "error=timeout")
}

func TestTerminalClosed(t *testing.T) {
	s := onTerminal(t, "secret")
	s.sees("passphrase: ", 1)
	_ = s.ptm.Close() // SIGHUP to the session leader, EIO for everybody
	s.wait()
	if c := s.cmd.ProcessState.ExitCode(); c != 129 && c != 5 {
		t.Errorf("exit code %d, want 129 or 5; stdout %q", c, s.stdout.String())
	}
}

// A process that ignores SIGHUP (nohup) learns of the hang-up all the same.
func TestTerminalClosedUnderNohup(t *testing.T) {
	cmd := exec.Command("nohup", os.Args[0])
	cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
	s := startOnTerminal(t, cmd)
	s.sees(asks, 1)
	_ = s.ptm.Close()
	s.wait()
	if c := s.cmd.ProcessState.ExitCode(); c != 5 || !strings.Contains(s.stdout.String(), "the terminal was closed") {
		t.Errorf("exit code %d, stdout %q", c, s.stdout.String())
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
		s := startOnTerminal(t, cmd)
		_ = r.Close()
		s.sees(prompt, 1)
		s.types("\x1a")
		eventually(t, "the shell's own prompt", func() bool { return s.termios() == s.before && pgrpIs(s, cmd.Process.Pid) })
		_, _ = w.WriteString("go\n")
		_ = w.Close()
		s.sees(prompt, 2)
		s.types("123456\n")
		s.ends(0, "answer=123456\n")
	}
}

func pgrpIs(s *ptySession, pgrp int) bool {
	p := -1
	s.ptmFd(func(fd int) { p, _ = unix.IoctlGetInt(fd, unix.TIOCGPGRP) })
	return p == pgrp
}

// Ctrl-Z in an orphaned process group has nobody who could continue us.
func TestStopWithoutJobControl(t *testing.T) {
	s := onTerminal(t, "secret")
	s.sees("passphrase: ", 1)
	s.types("\x1a")
	s.sees("passphrase: ", 2)
	s.types("pw\n")
	s.ends(0, "answer=pw\n")
}

func TestBackgroundJobDoesNotHang(t *testing.T) {
	for _, tostop := range []string{"stty tostop <&3;", ""} {
		cmd := exec.Command("sh", "-c", `set -m; `+tostop+` "$0" & wait $!; exit $?`, os.Args[0])
		cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
		s := startOnTerminal(t, cmd)
		s.wait()
		if c := s.cmd.ProcessState.ExitCode(); c != 5 || !strings.Contains(s.stdout.String(), "background") {
			t.Errorf("exit code %d, stdout %q", c, s.stdout.String())
		}
		if strings.Contains(s.text(), asks) {
			t.Errorf("a background job wrote its question over the shell:\n%s", s.text())
		}
	}
}

func TestTwoProcessesAskOneAfterTheOther(t *testing.T) {
	cmd := exec.Command("sh", "-c", `"$0" >&2 & "$0" >&2; wait; echo done`, os.Args[0])
	cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
	s := startOnTerminal(t, cmd)
	s.sees(asks, 1)
	time.Sleep(3 * tick) // the other one must not ask meanwhile
	if n := strings.Count(s.text(), asks); n != 1 {
		t.Fatalf("%d questions stand at once:\n%s", n, s.text())
	}
	s.types("111111\n")
	s.sees(asks, 2)
	s.types("222222\n")
	s.ends(0, "done")
	if e := s.stderr.String(); !strings.Contains(e, "answer=111111") || !strings.Contains(e, "answer=222222") {
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

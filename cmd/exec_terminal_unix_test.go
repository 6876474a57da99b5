//go:build unix

package cmd

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// At a terminal, Ctrl-C reaches the command once and groat reports what the
// command made of it; Ctrl-Z and fg stop and continue both.
func TestExecLeavesTheTerminalToTheCommand(t *testing.T) {
	bash := requireShell(t, "bash")
	for _, way := range []string{"", "--server ", "--imds "} {
		t.Run(strings.TrimSpace(way), func(t *testing.T) {
			dir := t.TempDir()
			interrupted := filepath.Join(dir, "interrupted")
			script := `n=0; trap 'n=$((n+1))' INT; echo u"p"; while [ $n -eq 0 ]; do sleep 0.05; done; sleep 0.3; echo got $n; exit 42`
			if err := os.WriteFile(interrupted, []byte(script), 0o600); err != nil {
				t.Fatal(err)
			}
			stopped := filepath.Join(dir, "stopped")
			if err := os.WriteFile(stopped, []byte(`echo u"p"; read x; echo "read <$x>"; exit 7`), 0o600); err != nil {
				t.Fatal(err)
			}
			s := startShell(t, staticEnvironment(t), bash, "--norc", "--noprofile", "-i")
			s.send("PS1='> '; echo rea''dy\n", "ready\r\n")
			s.send("groat exec "+way+"static -- sh "+interrupted+"\n", "up\r\n")
			s.send("\x03", "got 1\r\n")
			s.send("echo co''de $?\n", "code 42\r\n")
			s.send("groat exec "+way+"static -- sh "+stopped+"\n", "up\r\n")
			s.send("\x1a", "Stopped")
			s.send("fg\n", "groat exec")
			s.send("hello\n", "read <hello>\r\n")
			s.send("echo co''de $?\n", "code 7\r\n")
		})
	}
}

func TestSubshellAndPickerAtATerminal(t *testing.T) {
	bash := requireShell(t, "bash")
	s := startShell(t, append(staticEnvironment(t), "SHELL=/bin/sh"), bash, "--norc", "--noprofile", "-i")
	s.send("PS1='> '; echo rea''dy\n", "ready\r\n")
	s.send("groat exec static\n", `subshell with credentials of profile "static"`)
	s.send("echo I''m $GROAT_PROFILE $AWS_REGION\n", "Im static eu-west-1\r\n")
	s.send("groat exec static\n", "this is already a subshell of groat")
	s.send("exit 3\n", "> ")
	s.send("echo co''de $?\n", "code 3\r\n")
	s.send("groat exec -- sh -c 'echo I am $GROAT_PROFILE'\n", "number or part of a name")
	s.send("stat\n", "I am static\r\n")
	s.send("groat exec\n", "number or part of a name")
	s.send("\x03", "> ")
	s.send("echo co''de $?\n", "code 130\r\n")
}

// A signal that somebody sends to groat is meant for the command.
func TestServerWayPassesSignalsOn(t *testing.T) {
	environ := staticEnvironment(t)
	for sig, name := range map[syscall.Signal]string{
		syscall.SIGTERM: "TERM", syscall.SIGINT: "INT", syscall.SIGHUP: "HUP", syscall.SIGQUIT: "QUIT", syscall.SIGUSR1: "USR1", syscall.SIGUSR2: "USR2",
	} {
		if signal.Ignored(sig) {
			t.Logf("%s is ignored here, as in a background job of a shell", name)
			continue
		}
		script := fmt.Sprintf(`trap 'echo got %s; exit 9' %s; echo up; while :; do sleep 0.05; done`, name, name)
		c, out := startBinary(t, environ, "exec", "--server", "static", "--", "sh", "-c", script)
		if line := readLine(t, out); line != "up" {
			t.Fatalf("it says %q", line)
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if line := readLine(t, out); line != "got "+name {
			t.Errorf("after %s: %q", name, line)
		}
		if _ = c.Wait(); c.ProcessState.ExitCode() != 9 {
			t.Errorf("%s: exit code %d", name, c.ProcessState.ExitCode())
		}
	}
}

// When groat is killed, its command does not stay behind without a server.
func TestServerWayLeavesNoOrphan(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a child's life to its parent's")
	}
	c, out := startBinary(t, staticEnvironment(t), "exec", "--server", "static", "--", "sh", "-c", "echo $$; exec sleep 60")
	pid, err := strconv.Atoi(readLine(t, out))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	for end := time.Now().Add(20 * time.Second); alive(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the command lives on")
		}
	}
}

// alive is false for a process that is gone or only waits to be reaped.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func startBinary(t *testing.T, environ []string, words ...string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	c := exec.CommandContext(t.Context(), groatBinary(t), words...)
	c.Env, c.Stderr = environ, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // nobody's foreground job
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(out)
}

func readLine(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("%v after %q", err, line)
	}
	return strings.TrimSuffix(line, "\n")
}

// Names come from a config file: a program gets them byte by byte, a terminal
// without what it would obey.
func TestNamesOnTheScreenAreHarmless(t *testing.T) {
	environ := staticEnvironment(t)
	config := filepath.Join(strings.TrimPrefix(environ[0], "HOME="), ".aws", "config")
	if err := os.WriteFile(config, []byte("[profile e\x1b[31mvil]\nregion = eu-west-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, _ := runBinary(t, environ, "list", "--profiles"); r.stdout != "e\x1b[31mvil\n" {
		t.Errorf("to a program: %q", r.stdout)
	}
	c := exec.CommandContext(t.Context(), groatBinary(t), "list", "--profiles")
	c.Env = environ
	s := terminaltest.StartAttached(t, c)
	s.Wait()
	s.Sees("evil", 1)
	if strings.Contains(s.Screen(), "\x1b") {
		t.Errorf("on the screen: %q", s.Screen())
	}
}

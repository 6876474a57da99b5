//go:build linux

package terminal

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groat/cmd/terminal/terminaltest"
)

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("GROAT_TEST_PROMPTS") != "" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// A real shell in a real terminal multiplexer: the shell's echo works after
// a secret that Ctrl-C ended, and the answer comes through.
func TestInTmux(t *testing.T) {
	need(t, "tmux")
	dir := t.TempDir()
	tmux := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("tmux", append([]string{"-S", filepath.Join(dir, "s"), "-f", "/dev/null"}, args...)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LANG=C.UTF-8", "TERM=xterm"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	tmux("new-session", "-d", "-x", "100", "-y", "40", "env PS1='$ ' sh")
	t.Cleanup(func() { tmux("kill-server") })
	shows := func(text string) {
		t.Helper()
		terminaltest.Eventually(t, text, func() bool { return strings.Contains(tmux("capture-pane", "-p"), text) })
	}
	run := fmt.Sprintf("%s=secret %s 2>/dev/null >%s/out; echo ended $?", helperVar, os.Args[0], dir)
	tmux("send-keys", "-l", run)
	tmux("send-keys", "Enter")
	shows("passphrase:")
	tmux("send-keys", "-l", "half")
	tmux("send-keys", "C-c")
	shows("ended 130")
	tmux("send-keys", "-l", "stty -a | grep -wo -- '-*echo' | sed s/^/state=/")
	tmux("send-keys", "Enter")
	shows("\nstate=echo")
	tmux("send-keys", "-l", "clear; "+run)
	tmux("send-keys", "Enter")
	terminaltest.Eventually(t, "the second question", func() bool {
		screen := tmux("capture-pane", "-p")
		return strings.Contains(screen, "passphrase:") && !strings.Contains(screen, "ended 130")
	})
	tmux("send-keys", "-l", "whole secret")
	tmux("send-keys", "Enter")
	shows("ended 0")
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil || string(out) != "answer=whole secret\n" {
		t.Errorf("%q, %v", out, err)
	}
	if screen := tmux("capture-pane", "-p"); strings.Contains(screen, "whole secret") {
		t.Errorf("the secret is on the screen:\n%s", screen)
	}
}

// script(1) puts a terminal around a command, as CI systems and ssh -t do.
func TestUnderScript(t *testing.T) {
	need(t, "script")
	cmd := exec.Command("script", "-qec", os.Args[0], "/dev/null")
	cmd.Env = []string{helperVar + "=code", "PATH=" + os.Getenv("PATH")}
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var screen terminaltest.Buffer
	cmd.Stdout, cmd.Stderr = &screen, &screen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	terminaltest.Eventually(t, "the question", func() bool { return strings.Contains(screen.String(), asks) })
	_, _ = io.WriteString(keys, "123456\n")
	if err := cmd.Wait(); err != nil || !strings.Contains(screen.String(), "answer=123456") {
		t.Errorf("%v\n%s", err, screen.String())
	}
}

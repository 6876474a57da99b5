package cmd

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groat/cmd/terminal/terminaltest"
)

// A person's own shells in a terminal multiplexer: Ctrl-Z at the question,
// the shell's prompt with its echo, fg, the question again, the answer.
func TestPromptUnderJobControl(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("no tmux")
	}
	for _, shell := range []string{"bash --norc --noprofile", "zsh -f", "dash", "fish --no-config"} {
		name, _, _ := strings.Cut(shell, " ")
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(name); err != nil {
				t.Skipf("no %s", name)
			}
			w := newPromptWorld(t)
			w.env = append(w.env, "TERM=xterm", "PS1=shell$ ", "HISTFILE=/dev/null")
			tmux := func(args ...string) string {
				cmd := exec.Command("tmux", append([]string{"-S", filepath.Join(w.home, "s"), "-f", "/dev/null"}, args...)...)
				cmd.Env, cmd.Dir = w.env, w.home
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("tmux %v: %v\n%s", args, err, out)
				}
				return string(out)
			}
			screen := func() string { return tmux("capture-pane", "-p", "-S", "-100") }
			sees := func(text string, n int) {
				t.Helper()
				shown := ""
				defer func() {
					if t.Failed() {
						t.Log(shown)
					}
				}()
				terminaltest.Eventually(t, text, func() bool {
					shown = screen()
					return strings.Count(strings.ReplaceAll(shown, "\n", " "), text) >= n
				})
			}
			types := func(line string) {
				tmux("send-keys", "-l", line)
				tmux("send-keys", "Enter")
			}
			tmux("new-session", "-d", "-x", "120", "-y", "50", shell)
			t.Cleanup(func() {
				cmd := exec.Command("tmux", "-S", filepath.Join(w.home, "s"), "kill-server")
				cmd.Env = w.env
				_ = cmd.Run()
			})
			types("groat exec admin -- echo o\"\"ne")
			sees("token code:", 1)
			tmux("send-keys", "C-z")
			terminaltest.Eventually(t, "the shell in the foreground", func() bool {
				return strings.TrimSpace(tmux("display-message", "-p", "#{pane_current_command}")) == name
			})
			types("echo stop\"\"ped") // echoed and run by the shell: it has its terminal
			sees("stopped ", 1)
			types("fg")
			sees("token code:", 2)
			types(w.device.FreshCode())
			sees("one ", 1)

			types("groat export admin --no-cache | cat")
			sees("token code:", 3)
			tmux("send-keys", "C-c")
			sees("groat: interrupted", 1)
			types("echo af\"\"ter")
			sees("after ", 1)
			if text := screen(); strings.Contains(text, "SessionToken") || strings.Contains(text, "AWS_SECRET") {
				t.Errorf("credentials after Ctrl-C:\n%s", text)
			}
		})
	}
}

package cmd

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"groat/cmd/terminal/terminaltest"
)

// An SDK without a terminal on a desktop (an IDE starts it): the question
// opens a window.
func TestPromptInAWindow(t *testing.T) {
	for _, program := range []string{"zenity", "kdialog"} {
		t.Run(program, func(t *testing.T) {
			if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_PROMPTS"), ","), program) {
				t.Skipf("GROAT_TEST_PROMPTS does not name %s", program)
			}
			if _, err := exec.LookPath(program); err != nil {
				t.Fatal(err)
			}
			display := terminaltest.StartDisplay(t)
			w := newPromptWorld(t)
			run := func(words ...string) (*exec.Cmd, *bytes.Buffer) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), w.find("groat"), words...)
				desktop := map[string]string{"zenity": "GNOME", "kdialog": "KDE"}[program]
				cmd.Env, cmd.Dir = append(w.env[:len(w.env):len(w.env)], "DISPLAY="+display.Name, "XDG_CURRENT_DESKTOP="+desktop, "XDG_RUNTIME_DIR="+w.home, "NO_AT_BRIDGE=1"), w.home
				var out bytes.Buffer
				cmd.Stdout = &out
				detach(cmd)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				return cmd, &out
			}
			for key, code := range map[string]int{"Escape": exitNoCode} {
				cmd, out := run("credential-process", "admin")
				display.Answer("", key)
				_ = cmd.Wait()
				if got := cmd.ProcessState.ExitCode(); got != code || out.Len() > 0 {
					t.Errorf("%s: exit code %d, stdout %q", key, got, out)
				}
			}
			cmd, out := run("credential-process", "admin")
			display.Answer(w.device.FreshCode(), "Return")
			if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), `"SessionToken"`) {
				t.Errorf("%v, stdout %q, calls %v", err, out, w.Names())
			}
			cmd, _ = run("exec", "admin", "--no-cache", "--", "true")
			display.Opens()
			_ = cmd.Process.Signal(os.Interrupt)
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
				t.Errorf("interrupted: exit code %d", got)
			}
			display.Closed() // nobody is left who would read the answer
		})
	}
}

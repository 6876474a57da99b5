//go:build linux

package terminal

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// promptsVar lists the drivers whose programs must be there, comma-separated:
// one that is named and cannot be tested is a failure, others are skipped.
const promptsVar = "GROAT_TEST_PROMPTS"

func wantPrompt(t *testing.T, driver string, programs ...string) {
	t.Helper()
	if !slices.Contains(strings.Split(os.Getenv(promptsVar), ","), driver) {
		t.Skipf("%s does not name %s", promptsVar, driver)
	}
	for _, p := range append([]string{"Xvfb", "xdotool"}, programs...) {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%s promises %s, but %s is missing", promptsVar, driver, p)
		}
	}
}

// window is a helper process without a terminal that asks in a window.
type window struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
}

func inWindow(t *testing.T, display *terminaltest.Display, driver, what string, env ...string) *window {
	t.Helper()
	cmd := exec.Command("setsid", "-w", os.Args[0])
	home := t.TempDir()
	cmd.Env = append([]string{helperVar + "=" + what, "HELPER_DRIVER=" + driver, "DISPLAY=" + display.Name, "HOME=" + home, "XDG_RUNTIME_DIR=" + home,
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "NO_AT_BRIDGE=1",
		"AWS_SECRET_ACCESS_KEY=must-not-reach-a-dialog", "GROAT_FILE_PASSPHRASE=must-not-either"}, env...)
	w := &window{t: t, cmd: cmd}
	cmd.Stdout, cmd.Stderr = &w.stdout, &w.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return w
}

func (w *window) ends(code int, stdout string) {
	w.t.Helper()
	done := make(chan struct{})
	go func() { _ = w.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_ = w.cmd.Process.Kill()
		w.t.Fatalf("did not end; stderr:\n%s", w.stderr.String())
	}
	if got := w.cmd.ProcessState.ExitCode(); got != code || !strings.HasPrefix(w.stdout.String(), stdout) {
		w.t.Errorf("exit code %d, stdout %q; want %d, %q; stderr:\n%s", got, w.stdout.String(), code, stdout, w.stderr.String())
	}
}

// The whole life of a window, with each toolkit's real program.
func TestWindows(t *testing.T) {
	for _, program := range []string{"zenity", "kdialog", "pinentry-gtk-2", "pinentry-qt"} {
		t.Run(program, func(t *testing.T) {
			driver, _, _ := strings.Cut(program, "-")
			wantPrompt(t, driver, program)
			display := terminaltest.StartDisplay(t)
			env := []string{"PATH=" + onlyProgram(t, driver, program)}
			t.Run("code", func(t *testing.T) {
				w := inWindow(t, display, driver, "code", append(env, "HELPER_REASON=refused by AWS: wait for the next code")...)
				display.Answer("123 456", "Return")
				w.ends(0, "answer=123456\n")
			})
			t.Run("secret", func(t *testing.T) {
				w := inWindow(t, display, driver, "secret", env...)
				display.Answer("pa%s <b>&x\\", "Return")
				w.ends(0, "answer=pa%s <b>&x\\\n")
			})
			t.Run("approve", func(t *testing.T) {
				// "No" is preset where the toolkit can: one key to the left or right is "Yes".
				for keys, want := range map[string]string{"alt+y": "true", "Escape": "false"} {
					w := inWindow(t, display, driver, "approve", env...)
					display.Answer("", keys)
					w.ends(0, "answer="+want+"\n")
				}
			})
			t.Run("cancel", func(t *testing.T) {
				w := inWindow(t, display, driver, "code", env...)
				display.Answer("", "Escape")
				w.ends(6, "error=cancelled")
			})
			t.Run("deadline", func(t *testing.T) {
				w := inWindow(t, display, driver, "code", append(env, "HELPER_DEADLINE=4s")...)
				display.Opens()
				w.ends(7, "error=timeout")
				display.Closed()
			})
			t.Run("killed", func(t *testing.T) {
				w := inWindow(t, display, driver, "code", env...)
				display.Opens()
				out, err := exec.Command("pgrep", "-P", fmt.Sprint(w.cmd.Process.Pid)).Output()
				if err != nil {
					t.Fatal(err)
				}
				if err := exec.Command("kill", "-KILL", strings.TrimSpace(string(out))).Run(); err != nil {
					t.Fatal(err)
				}
				display.Closed() // the dialog does not outlive the program that would read it
			})
			t.Run("auto", func(t *testing.T) {
				w := inWindow(t, display, "auto", "code", env...)
				display.Answer("654321", "Return")
				w.ends(0, "answer=654321\n")
			})
		})
	}
}

// onlyProgram makes a PATH on which one program can be found, under name.
func onlyProgram(t *testing.T, name, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	return dir
}

package terminal

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/cmd/terminal/terminaltest"
)

// The console and the credential dialog of Windows, as Wine has them.
func TestWindowsUnderWine(t *testing.T) {
	if !slices.Contains(strings.Split(os.Getenv(promptsVar), ","), "wincredui") {
		t.Skipf("%s does not name wincredui", promptsVar)
	}
	dir := t.TempDir()
	run, stop := wine(t, dir)
	out := filepath.Join(dir, "out")
	ended := func(want string) {
		t.Helper()
		b, err := os.ReadFile(out)
		if err != nil || string(b) != want+"\n" {
			t.Errorf("%q, %v; want %q", b, err, want)
		}
		_ = os.Remove(out)
	}
	for _, c := range []struct{ kind, prompt, keys, want string }{
		{"code", "token code:", "123 456\r", "answer=123456"},
		{"secret", "passphrase:", "hunter2\r", "answer=hunter2"},
		{"secret", "passphrase:", "half\x03", "interrupted"},
		{"code", "token code:", "12", "timeout"},
	} {
		cmd := run("terminal", c.kind, "Z:"+out)
		cmd.Env = append(cmd.Env, "TERM=xterm")
		s := terminaltest.StartAttached(t, cmd)
		s.Sees(c.prompt, 1)
		time.Sleep(time.Second) // Wine's console loses keys until it reads, and shows no sign of that
		s.Types(c.keys)
		s.Wait()
		ended(c.want)
		if c.kind == "secret" && (strings.Contains(s.Screen(), "hunter") || strings.Contains(s.Screen(), "half")) {
			t.Errorf("the secret is on the screen:\n%q", s.Screen())
		}
	}
	stop() // what Wine has running by now has no display
	display := terminaltest.StartDisplay(t)
	for _, c := range []struct{ text, key, want string }{{"hunter2", "Return", "answer=hunter2"}, {"", "Escape", "cancelled"}} {
		cmd := run("wincredui", "secret", "Z:"+out)
		cmd.Env = append(cmd.Env, "DISPLAY="+display.Name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		display.Answer(c.text, c.key)
		_ = cmd.Wait()
		ended(c.want)
	}
}

// wine prepares a throw-away prefix and the asker for Windows.
func wine(t *testing.T, dir string) (run func(args ...string) *exec.Cmd, stop func()) {
	t.Helper()
	exe := filepath.Join(dir, "asker.exe")
	terminaltest.ForWindows(t, "build", "-o", exe, "./testdata/asker")
	command, stop := terminaltest.Wine(t, dir)
	return func(args ...string) *exec.Cmd { return command(append([]string{exe}, args...)...) }, stop
}

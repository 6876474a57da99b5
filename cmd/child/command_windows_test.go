package child

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scratch is a folder for a test. t.TempDir fails the test where it cannot be
// removed, as under Wine.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "groat-child-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// appears waits for a file.
func appears(path string, within time.Duration) bool {
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// No argument of a batch file runs a command; plain ones arrive as they are.
func TestBatchArgumentsStayArguments(t *testing.T) {
	dir := scratch(t)
	script := filepath.Join(dir, "show me.cmd")
	if err := os.WriteFile(script, []byte("@echo off\r\necho 1=%1\r\necho 2=%2\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(dir, "injected")
	run := func(prepared bool, args ...string) string {
		t.Helper()
		cmd := exec.Command(script, args...)
		cmd.Dir = dir
		if prepared {
			if err := Prepare(cmd); err != nil {
				t.Fatal(err)
			}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Logf("%q: %v", args, err)
		}
		return string(out)
	}
	const attack = `"&echo x>injected&"`
	run(false, attack)
	if !appears(marker, 0) {
		t.Fatal("the attack is none: the test proves nothing")
	}
	_ = os.Remove(marker)
	for _, arg := range []string{attack, `&echo x>injected&`, `" & echo x>injected & rem "`, `\"&echo x>injected&\"`, `|echo x>injected`, `x" >injected "`} {
		out := run(true, arg, "second")
		if appears(marker, 0) {
			t.Errorf("%s breaks out: %q", arg, out)
		}
		_ = os.Remove(marker)
	}
	if out := run(true, "a b", "c&d"); !strings.Contains(out, `1="a b"`) || !strings.Contains(out, `2="c&d"`) {
		t.Errorf("plain arguments arrive as %q", out)
	}
}

// Nor does one read a variable: it is cmd.exe that reads the line.
func TestBatchArgumentsReadNoVariable(t *testing.T) {
	for _, arg := range []string{`%SECRET%`, `^%SECRET^%`, `!SECRET!`, `%%SECRET%%`, `50% %SECRET%`} {
		cmd := exec.Command(os.Getenv("COMSPEC"))
		cmd.Env = append(os.Environ(), "SECRET=hunter2")
		line := `cmd.exe /e:ON /v:OFF /d /c "echo ` + batchWord(arg) + `"`
		cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: line}
		out, err := cmd.CombinedOutput()
		if want := `"` + arg + `"`; err != nil || strings.TrimSpace(string(out)) != want {
			t.Errorf("%s: %q, %v", line, out, err)
		}
	}
}

// TestMain is the test's own child and grandchild: the child starts a
// grandchild at once and ends; the grandchild says after a while that it lives.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILD_ROLE") {
	case "child":
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CHILD_ROLE=grandchild")
		if cmd.Start() != nil {
			os.Exit(1)
		}
		os.Exit(7)
	case "grandchild":
		_ = os.WriteFile(os.Getenv("CHILD_MARKER")+".started", nil, 0o600)
		time.Sleep(2 * time.Second)
		_ = os.WriteFile(os.Getenv("CHILD_MARKER"), nil, 0o600)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// What a command leaves running lives on when the command has ended, and ends
// with it when groat is killed, which closes the job.
func TestWhatACommandLeavesRunning(t *testing.T) {
	for name, killed := range map[string]bool{"the command has ended": false, "groat is killed": true} {
		marker := filepath.Join(scratch(t), "lives")
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CHILD_ROLE=child", "CHILD_MARKER="+marker)
		j := tied()
		if err := j.start(cmd); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 7 {
			t.Errorf("exit code %d", code)
		}
		if !appears(marker+".started", 30*time.Second) {
			t.Fatal("the grandchild did not start")
		}
		if killed {
			j.close()
		} else {
			j.free()
		}
		patience := 30 * time.Second
		if killed {
			patience = 4 * time.Second
		}
		if appears(marker, patience) == killed {
			t.Errorf("%s: it lives: %v", name, killed)
		}
	}
}

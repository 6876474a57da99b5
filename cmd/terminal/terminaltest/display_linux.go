package terminaltest

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Display is an X server of a test's own, without a window manager and
// without TCP, and hands that type on it.
type Display struct {
	Name string // for DISPLAY
	t    testing.TB
}

// StartDisplay starts Xvfb on a free display number.
func StartDisplay(t testing.TB) *Display {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1000x700x24", "-nolisten", "tcp", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	_ = w.Close()
	defer r.Close() // not before the newline: Xvfb dies of a reader that is gone
	_ = r.SetReadDeadline(time.Now().Add(time.Minute))
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb named no display: %v", err)
	}
	return &Display{":" + strings.TrimSpace(number), t}
}

func (d *Display) xdotool(args ...string) string {
	cmd := exec.Command("xdotool", args...)
	cmd.Env = []string{"DISPLAY=" + d.Name, "PATH=" + os.Getenv("PATH")}
	out, _ := cmd.Output()
	return strings.TrimSpace(string(out))
}

// Windows counts the windows that are shown.
func (d *Display) Windows() int {
	return len(strings.Fields(d.xdotool("search", "--onlyvisible", "--name", ".")))
}

// Opens waits for a window.
func (d *Display) Opens() {
	d.t.Helper()
	Eventually(d.t, "a window", func() bool { return d.Windows() > 0 })
}

// Closed waits until no window is left.
func (d *Display) Closed() {
	d.t.Helper()
	Eventually(d.t, "the end of the window", func() bool { return d.Windows() == 0 })
}

// Answer types text and presses key until the window closes: a toolkit
// drops keys that come before its window has the focus, and there is no
// window manager to ask.
func (d *Display) Answer(text, key string) {
	d.t.Helper()
	d.Opens()
	for end := time.Now().Add(time.Minute); ; {
		if f := strings.Fields(d.xdotool("search", "--onlyvisible", "--name", ".")); len(f) > 0 {
			d.xdotool("windowfocus", "--sync", f[len(f)-1])
		}
		if text != "" {
			d.xdotool("key", "ctrl+a")
			d.xdotool("type", "--delay", "15", text)
		}
		d.xdotool("key", key)
		for range 20 {
			time.Sleep(50 * time.Millisecond)
			if d.Windows() == 0 {
				return
			}
		}
		if time.Now().After(end) {
			d.t.Fatal("the window did not close")
		}
	}
}

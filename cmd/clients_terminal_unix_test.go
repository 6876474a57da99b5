//go:build unix

package cmd

import (
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// At a terminal the SDK's helper asks there, whatever the SDK does with its
// standard streams: the code is typed once and serves the second role too.
func TestAWSCLIAtATerminal(t *testing.T) {
	promised(t, "awscli")
	w := newClientWorld(t, false)
	line := clientLine(t, w, "awscli")
	as := func(profile string, answer func(said string) string) (string, int) {
		c := exec.Command(line[0], line[1:]...)
		c.Env, c.Dir = append(append([]string{}, w.env...), "AWS_PROFILE="+profile, "TERM=xterm"), w.home
		terminal, err := pty.Start(c)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = terminal.Close() }()
		// A prompt that never comes must fail the test and not hang it.
		guard := time.AfterFunc(2*time.Minute, func() { _ = c.Process.Kill(); _ = terminal.Close() })
		defer guard.Stop()
		var said strings.Builder
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			said.Write(buffer[:n])
			if reply := answer(said.String()); reply != "" {
				if _, err := io.WriteString(terminal, reply+"\r"); err != nil {
					t.Fatal(err)
				}
			}
			if err != nil {
				break // the last one that had the terminal has gone
			}
		}
		_ = c.Wait()
		return said.String(), c.ProcessState.ExitCode()
	}

	asked := false
	said, exit := as("sdk-admin", func(said string) string {
		if asked || !strings.Contains(said, w.device.Serial) || !strings.HasSuffix(said, "code: ") {
			return ""
		}
		asked = true
		return w.device.FreshCode()
	})
	if exit != 0 || !asked || !strings.Contains(said, "assumed-role/admin-role/myusername") {
		t.Fatalf("exit code %d, asked %v: %q", exit, asked, said)
	}
	w.calls(getSessionToken, assumeRole, getCallerIdentity)

	said, exit = as("sdk-readonly", func(string) string { return "" })
	if exit != 0 || !strings.Contains(said, "assumed-role/readonly-role/myusername") || strings.Contains(said, w.device.Serial) {
		t.Fatalf("exit code %d: %q", exit, said)
	}
	w.calls(assumeRole, getCallerIdentity)
}

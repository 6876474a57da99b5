package cmd

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hangingHelper speaks on its stderr, leaves a process in a session of its
// own that holds that stderr, and then hangs; it writes down whom it started.
const hangingHelper = `echo "a word of the helper" >&2
setsid sh -c 'echo $$ >>pids; exec sleep 600' &
echo $$ >>pids
exec sleep 600
`

// A helper that hangs is given up, by a signal to groat alone and by its own
// time-out: nobody whom it started lives on, what it said on stderr reached
// the caller through groat, and the caller's stderr ends with groat.
func TestHangingHelperIsGivenUp(t *testing.T) {
	for what, profile := range map[string]string{"credential_process": "foreign", "mfa_process": "admin"} {
		for _, end := range []string{"signal", "time-out"} {
			t.Run(what+"/"+end, func(t *testing.T) {
				if end == "time-out" && os.Getenv(slowVariable) == "" {
					t.Skipf("%s is not set: this takes 50 s", slowVariable)
				}
				t.Parallel()
				o := newOutside(t)
				o.cold()
				o.write("helper", hangingHelper)
				o.write(".aws/config", "[profile foreign]\ncredential_process=sh helper\n"+
					strings.ReplaceAll(awsConfigOfThePeers, "mfa_serial=", "mfa_process=sh helper\nmfa_serial="))
				r, w, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				c := o.command("credential-process", profile)
				var stdout strings.Builder
				c.Stdout, c.Stderr = &stdout, w
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				_ = w.Close()
				pids := o.helperPIDs(c)
				code := map[string]int{"credential_process": exitConfig, "mfa_process": exitNoCode}[what]
				if end == "signal" {
					code = 143
					if err := c.Process.Signal(unix.SIGTERM); err != nil {
						t.Fatal(err)
					}
				}
				_ = r.SetReadDeadline(time.Now().Add(3 * time.Minute))
				stderr, err := io.ReadAll(r) // ends when nobody holds the other end
				_ = c.Wait()
				if err != nil || c.ProcessState.ExitCode() != code || stdout.Len() > 0 || !strings.Contains(string(stderr), "a word of the helper") {
					t.Errorf("exit code %d, want %d; stdout %q, stderr %q, %v", c.ProcessState.ExitCode(), code, stdout.String(), stderr, err)
				}
				if end == "time-out" && !strings.Contains(string(stderr), "took longer than") {
					t.Errorf("it does not say why: %s", stderr)
				}
				for _, pid := range pids {
					if stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); len(stat) > 0 && !strings.Contains(string(stat), ") Z ") {
						t.Errorf("still there: %s", stat)
						_ = unix.Kill(pid, unix.SIGKILL)
					}
				}
			})
		}
	}
}

// helperPIDs waits for the two processes of hangingHelper.
func (o *outside) helperPIDs(c *exec.Cmd) (pids []int) {
	o.t.Helper()
	o.t.Cleanup(func() { _ = c.Process.Kill() })
	for deadline := time.Now().Add(time.Minute); len(pids) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatal("the helper was not started")
		}
		b, _ := os.ReadFile(filepath.Join(o.home, "pids"))
		pids = pids[:0]
		for _, line := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(line); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

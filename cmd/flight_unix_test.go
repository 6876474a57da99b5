//go:build unix

package cmd

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stuck is a process that has asked its device and waits for the answer.
type stuck struct {
	o           *outside
	cmd         *exec.Cmd
	out, stderr lockedBuffer
}

// lockedBuffer can be read while a process still writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// untilWaiting waits until the process says that it waits for another: at
// once in debug output, after a second to people.
func (s *stuck) untilWaiting() {
	s.o.t.Helper()
	s.untilSaid("waiting for")
}

func (s *stuck) untilSaid(text string) {
	s.o.t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.stderr.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.o.t.Fatalf("it does not say %q: %s", text, s.stderr.String())
		}
	}
}

// askAtGate makes the device answer only once there is an answer at the gate,
// a file that one of those who ask takes; "fail" makes it fail.
func (o *outside) askAtGate() {
	o.t.Helper()
	o.write("device", `echo >>$HOME/asked
until mv $HOME/gate $HOME/taken.$$ 2>/dev/null; do sleep 0.02; done
read answer <$HOME/taken.$$
[ "$answer" != fail ] && echo $answer
`)
	o.write(".aws/config", strings.ReplaceAll(awsConfigOfThePeers, "mfa_serial=", "mfa_process=sh $HOME/device\nmfa_serial="))
}

// start begins a credential process in a process group of its own.
func (o *outside) start(profile string, more ...string) *stuck {
	o.t.Helper()
	s := &stuck{o: o, cmd: o.command("credential-process", profile)}
	s.cmd.Env = append(slices.Clone(s.cmd.Env), more...)
	return s.begin()
}

func (s *stuck) begin() *stuck {
	o := s.o
	o.t.Helper()
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
		_ = s.cmd.Wait()
	})
	return s
}

// untilAsked waits until the device was asked n times.
func (o *outside) untilAsked(n int) {
	o.t.Helper()
	for deadline := time.Now().Add(time.Minute); o.asked() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("asked %d times, waiting for %d", o.asked(), n)
		}
	}
}

// answer lets one question be answered.
func (o *outside) answer(text string) {
	o.t.Helper()
	o.write("gate.new", text+"\n")
	if err := os.Rename(filepath.Join(o.home, "gate.new"), filepath.Join(o.home, "gate")); err != nil {
		o.t.Fatal(err)
	}
}

// end waits for the process and checks its exit code.
func (s *stuck) end(code int) {
	s.o.t.Helper()
	_ = s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.o.t.Fatalf("exit code %d, want %d: %s", got, code, s.stderr.String())
	}
	if code != 0 && s.out.String() != "" {
		s.o.t.Errorf("failed with %q on stdout", s.out.String())
	}
}

func TestNextAsksWhenTheOneAskingIsGone(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "interrupted": syscall.SIGINT, "terminated": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			o := newOutside(t)
			o.askAtGate()
			o.cold()
			first := o.start("admin")
			o.untilAsked(1)
			second := o.start("admin")
			if err := syscall.Kill(-first.cmd.Process.Pid, signal); err != nil { // its question goes with it
				t.Fatal(err)
			}
			first.end(map[syscall.Signal]int{syscall.SIGKILL: -1, syscall.SIGINT: 130, syscall.SIGTERM: 143}[signal])
			o.untilAsked(2)
			o.answer(o.device.FreshCode())
			second.end(0)
			if o.Count("sts:GetSessionToken") != 1 {
				t.Errorf("calls %v", o.Names())
			}
		})
	}
}

// Ctrl-Z at the question: others ask for themselves, and nothing is spoilt
// when the stopped process wakes up.
func TestNextAsksWhenTheOneAskingIsStopped(t *testing.T) {
	o := newOutside(t)
	o.askAtGate()
	o.cold()
	first := o.start("admin")
	o.untilAsked(1)
	if err := syscall.Kill(-first.cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	second := o.start("readonly") // another role, the same device
	o.untilAsked(2)
	o.answer(o.device.FreshCode())
	second.end(0)
	o.answer(o.device.FreshCode())
	if err := syscall.Kill(-first.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	first.end(0)
	for _, profile := range []string{"admin", "readonly"} {
		o.credentials(profile)
	}
	if o.asked() != 2 {
		t.Errorf("asked %d times", o.asked())
	}
}

func TestWaitingIsSaidOnceOnStderr(t *testing.T) {
	o := newOutside(t)
	o.askAtGate()
	o.cold()
	first := o.start("admin")
	o.untilAsked(1)
	second := o.start("readonly")
	second.untilWaiting()
	o.answer(o.device.FreshCode())
	first.end(0)
	second.end(0)
	if n := strings.Count(second.stderr.String(), "waiting for"); n != 1 || !strings.Contains(second.stderr.String(), fmt.Sprintf("process %d", first.cmd.Process.Pid)) {
		t.Errorf("said %q", second.stderr.String())
	}
	if first.stderr.String() != "" || o.asked() != 1 {
		t.Errorf("the first said %q; asked %d times", first.stderr.String(), o.asked())
	}
}

func TestCancelledQuestionEndsForAll(t *testing.T) {
	o := newOutside(t)
	o.askAtGate()
	o.cold()
	procs := []*stuck{o.start("admin")}
	o.untilAsked(1)
	for _, profile := range []string{"admin", "readonly", "admin", "readonly"} {
		procs = append(procs, o.start(profile, "GROAT_DEBUG=1"))
	}
	for _, p := range procs[1:] {
		p.untilWaiting()
	}
	o.answer("fail")
	for _, p := range procs {
		p.end(5)
	}
	if o.asked() != 1 || o.Count("") != 0 {
		t.Errorf("asked %d times, calls %v", o.asked(), o.Names())
	}
	// Who comes later asks anew.
	later := o.start("admin")
	o.untilAsked(2)
	o.answer(o.device.FreshCode())
	later.end(0)
}

// Whatever stands in the way of storing and locking: what was minted is
// delivered.
func TestCredentialsAreDeliveredFromAFullDisk(t *testing.T) {
	o := newOutside(t)
	o.cold()
	for _, profile := range []string{"admin", "admin"} {
		o.device.Forget()
		c := exec.Command("sh", "-c", `ulimit -f 0; exec "$@"`, "sh", o.binary, "credential-process", profile, "--mfa-code", o.device.FreshCode())
		c.Env, c.Dir = o.environ, o.home
		var stderr strings.Builder
		c.Stderr = &stderr
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		o.parse(out)
		if !strings.Contains(stderr.String(), "could not cache") {
			t.Errorf("said %q", stderr.String())
		}
	}
}

func TestCredentialsAreDeliveredWithoutALockDirectory(t *testing.T) {
	o := newOutside(t)
	o.cold()
	locks := filepath.Join(o.home, ".local/share/groat/vault/locks")
	if err := os.RemoveAll(locks); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(locks, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := o.command("credential-process", "admin")
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	o.parse(out)
	if n := strings.Count(stderr.String(), "could not lock in"); n != 1 {
		t.Errorf("said %q", stderr.String())
	}
}

// A process whose proxy is dead ends for itself alone: who waited for it, with
// a proxy that works, mints.
func TestDeadProxyEndsNobodyElsesWait(t *testing.T) {
	o := newOutsideAt(t, throughProxy(t), "file")
	o.askAtGate()
	o.cold()
	first := o.start("admin", "HTTPS_PROXY=http://127.0.0.1:1")
	o.untilAsked(1)
	second := o.start("admin", "GROAT_DEBUG=1")
	second.untilWaiting()
	o.answer(o.device.FreshCode())
	first.end(exitUnreachable)
	o.untilAsked(2)
	o.answer(o.device.FreshCode())
	second.end(0)
	o.parse([]byte(second.out.String()))
}

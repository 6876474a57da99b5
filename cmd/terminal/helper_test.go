//go:build unix

package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// The test binary is also the program under test: with helperVar set it asks
// as told and prints what it got, so that every test has a real process with
// a real controlling terminal.
const helperVar = "GROAT_TERMINAL_TEST_HELPER"

func TestMain(m *testing.M) {
	if what := os.Getenv(helperVar); what != "" {
		os.Exit(helper(what))
	}
	os.Exit(m.Run())
}

func helper(what string) int {
	o := Options{Driver: os.Getenv("HELPER_DRIVER"), Environ: os.Environ(), Stderr: os.Stderr,
		NoInput: os.Getenv("HELPER_NO_INPUT") != "",
		Debugf:  func(f string, a ...any) { fmt.Fprintf(os.Stderr, "debug: "+f+"\n", a...) }}
	if s := os.Getenv("HELPER_DEADLINE"); s != "" {
		o.Deadline, _ = time.ParseDuration(s)
	}
	u := New(o)
	q := Question{Title: "token code for the MFA device", Reason: os.Getenv("HELPER_REASON"), Default: os.Getenv("HELPER_DEFAULT"),
		Details: []Detail{{"profile", "admin\x1b[31m"}, {"role", ""}, {SerialDetail, "arn:aws:iam::111122223333:mfa/al<b>i</b>ce_x"}}}
	ctx := context.Background()
	var answer any
	var err error
	switch what {
	case "code":
		answer, err = u.Code(ctx, q)
	case "secret":
		var b []byte
		b, err = u.Secret(ctx, q)
		answer = string(b)
	case "line":
		answer, err = u.Line(ctx, q)
	case "confirm":
		answer, err = u.Confirm(ctx, Question{Title: "remove admin?"})
	case "choose":
		answer, err = u.Choose(ctx, "which profile?", []string{"dev-admin", "dev-readonly", "prod-admin", "staging"})
	case "canask":
		err = u.CanAsk()
	case "twice":
		var a, b string
		a, err = u.Code(ctx, q)
		if err == nil {
			b, err = u.Code(ctx, q)
		}
		answer = a + "," + b
	}
	var s *SignalError
	switch {
	case err == nil:
		fmt.Printf("answer=%v\n", answer)
		return 0
	case errors.As(err, &s):
		fmt.Printf("error=signal %v\n", err)
		return s.ExitCode()
	case errors.Is(err, ErrNoTerminal):
		fmt.Printf("error=noterminal %v\n", err)
		return 5
	case errors.Is(err, ErrCancelled):
		fmt.Printf("error=cancelled %v\n", err)
		return 6
	case errors.Is(err, ErrTimeout):
		fmt.Printf("error=timeout %v\n", err)
		return 7
	}
	fmt.Printf("error=other %v\n", err)
	return 1
}

// session is a helper process on a terminal of its own. Its stdout and
// stderr are pipes, as an SDK has them; its stdin is /dev/null.
type ptySession struct {
	t         *testing.T
	cmd       *exec.Cmd
	ptm, pts  *os.File
	before    unix.Termios
	stdout    bytes.Buffer
	stderr    bytes.Buffer
	mu        sync.Mutex
	screen    bytes.Buffer
	screenEnd chan struct{}
}

// onTerminal starts the helper as the leader of a session on a new pty.
func onTerminal(t *testing.T, what string, env ...string) *ptySession {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append([]string{helperVar + "=" + what, "PATH=" + os.Getenv("PATH")}, env...)
	return startOnTerminal(t, cmd)
}

func startOnTerminal(t *testing.T, cmd *exec.Cmd) *ptySession {
	t.Helper()
	ptm, pts, err := pty.Open()
	if err != nil {
		t.Fatalf("no pty: %v", err)
	}
	// In Go's poller, so that closing it ends the reader below.
	fd, err := unix.FcntlInt(ptm.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = ptm.Close()
	_ = unix.SetNonblock(fd, true)
	ptm = os.NewFile(uintptr(fd), "ptmx")
	s := &ptySession{t: t, cmd: cmd, ptm: ptm, pts: pts, screenEnd: make(chan struct{})}
	s.before = s.termios()
	cmd.Stdout, cmd.Stderr = &s.stdout, &s.stderr
	cmd.ExtraFiles = []*os.File{pts}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.screenEnd)
		buf := make([]byte, 4096)
		for {
			n, err := ptm.Read(buf)
			s.mu.Lock()
			s.screen.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = pts.Close()
		_ = ptm.Close()
		<-s.screenEnd
	})
	return s
}

func (s *ptySession) termios() unix.Termios {
	s.t.Helper()
	tio, err := unix.IoctlGetTermios(int(s.pts.Fd()), getTermios)
	if err != nil {
		s.t.Fatalf("no terminal settings: %v", err)
	}
	return *tio
}

// ptmFd gives the master's descriptor without taking it from Go's poller.
func (s *ptySession) ptmFd(f func(fd int)) {
	s.t.Helper()
	c, err := s.ptm.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Control(func(fd uintptr) { f(int(fd)) }); err != nil {
		s.t.Fatal(err)
	}
}

func (s *ptySession) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.String()
}

// eventually waits, bounded, for something another process does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came: %s", what)
		}
	}
}

// sees waits until the screen shows text n times.
func (s *ptySession) sees(text string, n int) {
	s.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for strings.Count(s.text(), text) < n {
		if time.Now().After(end) {
			s.t.Fatalf("the screen never showed %q %d times; it shows:\n%s\nstderr:\n%s", text, n, s.text(), s.stderr.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *ptySession) types(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.ptm, keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *ptySession) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the process and checks its exit code, its stdout and that
// the terminal's settings are what they were.
func (s *ptySession) ends(code int, stdout string) {
	s.t.Helper()
	s.wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d; screen:\n%s\nstderr:\n%s", got, code, s.text(), s.stderr.String())
	}
	if got := s.stdout.String(); !strings.HasPrefix(got, stdout) || strings.Count(got, "\n") != 1 {
		s.t.Errorf("stdout %q, want one line %q", got, stdout)
	}
	if now := s.termios(); now != s.before {
		s.t.Errorf("the terminal was not restored:\nbefore %+v\nafter  %+v", s.before, now)
	}
}

func (s *ptySession) wait() {
	s.t.Helper()
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-done
		s.t.Errorf("did not end; screen:\n%s", s.text())
	}
}

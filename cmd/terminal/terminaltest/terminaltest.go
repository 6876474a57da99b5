//go:build unix

// Package terminaltest runs programs on real pseudo-terminals for tests:
// what stands on the screen, what keys and signals do, and whether the
// terminal's settings are in the end what they were.
package terminaltest

import (
	"bytes"
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

// Session is a process on a terminal of its own. Its stdout and stderr are
// pipes, as an SDK has them; its stdin is what the test gave it.
type Session struct {
	Cmd            *exec.Cmd
	Before         unix.Termios // the terminal's settings at the start
	Stdout, Stderr Buffer

	t         testing.TB
	ptm, pts  *os.File
	screen    Buffer
	screenEnd chan struct{}
}

// Buffer collects what a process writes while a test looks at it.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends p.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is all that was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Start runs cmd as the leader of a session on a new pty. What cmd has as
// stdin stays; its stdout and stderr become pipes.
func Start(t testing.TB, cmd *exec.Cmd) *Session {
	t.Helper()
	return start(t, cmd, false)
}

// StartAttached is Start with all three standard streams on the terminal.
func StartAttached(t testing.TB, cmd *exec.Cmd) *Session {
	t.Helper()
	return start(t, cmd, true)
}

func start(t testing.TB, cmd *exec.Cmd, attached bool) *Session {
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
	s := &Session{t: t, Cmd: cmd, ptm: ptm, pts: pts, screenEnd: make(chan struct{})}
	s.Before = s.Termios()
	cmd.Stdout, cmd.Stderr = &s.Stdout, &s.Stderr
	if attached {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = pts, pts, pts
	}
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
			_, _ = s.screen.Write(buf[:n])
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

// Termios are the terminal's settings now.
func (s *Session) Termios() unix.Termios {
	s.t.Helper()
	tio, err := unix.IoctlGetTermios(int(s.pts.Fd()), getTermios)
	if err != nil {
		s.t.Fatalf("no terminal settings: %v", err)
	}
	return *tio
}

// withPTM gives the master's descriptor without taking it from Go's poller.
func (s *Session) withPTM(f func(fd int)) {
	s.t.Helper()
	c, err := s.ptm.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Control(func(fd uintptr) { f(int(fd)) }); err != nil {
		s.t.Fatal(err)
	}
}

// Screen is all that the terminal was sent.
func (s *Session) Screen() string { return s.screen.String() }

// Close takes the terminal away, as a closed window does.
func (s *Session) Close() { _ = s.ptm.Close() }

// Foreground is the terminal's foreground process group.
func (s *Session) Foreground() int {
	pgrp := -1
	s.withPTM(func(fd int) { pgrp, _ = unix.IoctlGetInt(fd, unix.TIOCGPGRP) })
	return pgrp
}

// Echo reports whether typed keys are shown.
func (s *Session) Echo() bool { return s.Termios().Lflag&unix.ECHO != 0 }

// Pending counts the typed bytes that wait for whoever reads the terminal
// next. It ends the line that stands, because half a line is not readable.
func (s *Session) Pending() int {
	s.t.Helper()
	s.Types("\n")
	if err := unix.SetNonblock(int(s.pts.Fd()), true); err != nil {
		s.t.Fatal(err)
	}
	buf := make([]byte, 64)
	n, err := unix.Read(int(s.pts.Fd()), buf)
	if err != nil {
		s.t.Fatal(err)
	}
	return n - 1
}

// Eventually waits, bounded, for something another process does.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came: %s", what)
		}
	}
}

// Sees waits until the screen shows text n times.
func (s *Session) Sees(text string, n int) {
	s.t.Helper()
	end := time.Now().Add(2 * time.Minute) // a client in Python takes its time on a busy machine
	for strings.Count(s.Screen(), text) < n {
		if time.Now().After(end) {
			s.t.Fatalf("the screen never showed %q %d times; it shows:\n%s\nstderr:\n%s", text, n, s.Screen(), s.Stderr.String())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Types presses keys.
func (s *Session) Types(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.ptm, keys); err != nil {
		s.t.Fatal(err)
	}
}

// Signal sends the process a signal.
func (s *Session) Signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.Cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// Ends waits for the process and checks its exit code, what its stdout begins
// with (one line; "" means that it is empty), that the terminal's settings are
// what they were and that no process of its session is left.
func (s *Session) Ends(code int, stdout string) {
	s.t.Helper()
	s.Wait()
	if got := s.Cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("exit code %d, want %d; screen:\n%s\nstderr:\n%s", got, code, s.Screen(), s.Stderr.String())
	}
	if got := s.Stdout.String(); stdout == "" && got != "" || stdout != "" && (!strings.HasPrefix(got, stdout) || strings.Count(got, "\n") != 1) {
		s.t.Errorf("stdout %q, want one line %q", got, stdout)
	}
	s.Restored()
}

// Restored checks that the terminal's settings are what they were and that
// no process of the session is left.
func (s *Session) Restored() {
	s.t.Helper()
	if now := s.Termios(); now != s.Before {
		s.t.Errorf("the terminal was not restored:\nbefore %+v\nafter  %+v", s.Before, now)
	}
	left := processes(s.Cmd.Process.Pid)
	for end := time.Now().Add(2 * time.Second); len(left) > 0 && time.Now().Before(end); left = processes(s.Cmd.Process.Pid) {
		time.Sleep(5 * time.Millisecond)
	}
	if len(left) > 0 {
		s.t.Errorf("processes are left: %q", left)
	}
}

// Wait waits for the process, bounded.
func (s *Session) Wait() {
	s.t.Helper()
	done := make(chan struct{})
	go func() { _ = s.Cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(2 * time.Minute): // as above
		_ = s.Cmd.Process.Kill()
		<-done
		s.t.Errorf("did not end; screen:\n%s\nstderr:\n%s", s.Screen(), s.Stderr.String())
	}
}

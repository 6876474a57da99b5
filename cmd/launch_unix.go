//go:build unix

package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// errUnexecutable is what is wrong with a file that is found and cannot be run.
var errUnexecutable = fs.ErrPermission

// replaceProcess becomes the command (execve): signals, exit code and job
// control are then the command's own, and no parent keeps its secrets. It
// returns only if that failed.
func replaceProcess(c command, environ []string) error {
	soften()
	err := syscall.Exec(c.Path, c.Args, environ)
	if errors.Is(err, unix.ENOEXEC) && isScript(c.Path) {
		err = syscall.Exec("/bin/sh", append([]string{"sh", c.Path}, c.Args[1:]...), environ)
	}
	return execError(c, err)
}

// execError gives a failed start the code that a shell would give it: the
// file was found, so it is 126 unless it has gone since.
func execError(c command, err error) error {
	code := exitNotExecutable
	if errors.Is(err, fs.ErrNotExist) {
		if _, serr := os.Stat(c.Path); serr != nil {
			code = exitNotFound
		} else {
			err = errors.New("its interpreter does not exist")
		}
	}
	return &launchError{c.Args[0], code, plainReason(err)}
}

// forwarded are the signals that are meant for the command when somebody
// sends them to groat.
var forwarded = []os.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
}

// runChild runs the command in groat's own process group and waits for it:
// Ctrl-C and Ctrl-Z at the terminal reach both alike, other signals are
// passed on. The command does not outlive groat where the system can see to
// that.
func runChild(c command, environ []string) (childStatus, error) {
	signals := make(chan os.Signal, 16)
	for _, s := range forwarded {
		if !signal.Ignored(s) { // nohup's choice is the command's, too: it inherits it
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)

	child, ended, err := startChild(c.Path, c.Args, environ)
	if errors.Is(err, unix.ENOEXEC) && isScript(c.Path) {
		child, ended, err = startChild("/bin/sh", append([]string{"sh", c.Path}, c.Args[1:]...), environ)
	}
	if err != nil {
		return childStatus{}, execError(c, err)
	}
	for {
		select {
		case s := <-signals:
			if !sentByTerminal(s) {
				_ = child.Signal(s)
			}
		case err := <-ended:
			return statusOf(err)
		}
	}
}

// startChild starts the program and reports its end on a channel.
func startChild(path string, args, environ []string) (*os.Process, <-chan error, error) {
	c := &exec.Cmd{
		Path: path, Args: args, Env: environ,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: dieWithParent(),
	}
	started, ended := make(chan error), make(chan error, 1)
	go func() {
		// The signal of dieWithParent is sent when the thread dies that
		// started the command, so one thread starts it and waits.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		soften()
		err := c.Start()
		noCore()
		started <- err
		if err == nil {
			ended <- c.Wait()
		}
	}()
	err := <-started
	return c.Process, ended, err
}

// noCore sets the core limit to zero again; the process was not dumpable in
// between either.
func noCore() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &l) == nil {
		l.Cur = 0
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &l)
	}
}

// sentByTerminal reports whether the kernel has sent the signal to the whole
// foreground process group, the command included, so that passing it on
// would deliver it twice.
func sentByTerminal(s os.Signal) bool {
	switch s {
	case unix.SIGINT, unix.SIGQUIT, unix.SIGWINCH:
		return inForeground()
	}
	return false
}

// inForeground reports whether groat is in the foreground process group of
// its controlling terminal.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	pgrp, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && pgrp == unix.Getpgrp()
}

func statusOf(err error) (childStatus, error) {
	var ee *exec.ExitError
	switch {
	case err == nil:
		return childStatus{}, nil
	case !errors.As(err, &ee):
		return childStatus{}, err
	}
	if status, ok := ee.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		sig := int(status.Signal())
		return childStatus{Code: 128 + sig, Signal: sig}, nil
	}
	return childStatus{Code: ee.ExitCode()}, nil
}

// dieOf ends this process by the signal that ended the command, so that
// whoever waits for groat sees the same death. A fresh sh does it: the Go
// runtime answers some signals (SIGSEGV, SIGABRT, …) with a stack dump. It
// returns only if there is no sh.
func dieOf(sig int) {
	// The command has dumped its core already, if it wished; sh's is noise.
	noCore()
	line := fmt.Sprintf("kill -%d $$; exit %d", sig, 128+sig) // it goes on where the signal is ignored
	_ = syscall.Exec("/bin/sh", []string{"sh", "-c", line}, []string{})
}

// systemShells ends with one that is always there (POSIX).
func systemShells(func(string) string) []string { return []string{"/bin/sh"} }

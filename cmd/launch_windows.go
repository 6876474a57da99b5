package cmd

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"groat/cmd/child"
)

// errNoReplace is what replaceProcess says on Windows.
var errNoReplace = errors.New("a process cannot be replaced here")

// errUnexecutable is what is wrong with a file that is found and cannot be run.
var errUnexecutable = errors.New("it is not a program")

// replaceProcess has no counterpart on Windows: the command runs as a child
// and the caller ends with its code.
func replaceProcess(command, []string) error { return errNoReplace }

// runChild runs the command on groat's own console and waits for it. Ctrl-C
// and Ctrl-Break reach it from the console itself; groat only stays alive
// until the command has decided. The command, and what it has started, ends
// when groat is killed.
func runChild(c command, environ []string) (childStatus, error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)

	cmd := &exec.Cmd{
		Path: c.Path, Args: c.Args, Env: environ,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	err := child.Prepare(cmd)
	var free func()
	if err == nil {
		free, err = child.StartTied(cmd)
	}
	if err != nil {
		return childStatus{}, &launchError{c.Args[0], exitNotExecutable, plainReason(err)}
	}
	defer free()
	return statusOf(cmd.Wait())
}

func statusOf(err error) (childStatus, error) {
	var ee *exec.ExitError
	if errors.As(err, &ee) {
		return childStatus{Code: ee.ExitCode()}, nil
	}
	return childStatus{}, err
}

// sentByTerminal: the console tells all of its processes of Ctrl-C.
func sentByTerminal(os.Signal) bool { return true }

// dieWithParent is nothing; child.StartTied is the counterpart.
func dieWithParent() *syscall.SysProcAttr { return nil }

// noCore has nothing to do; see harden.
func noCore() {}

// dieOf has nothing to reproduce: exit codes say everything on Windows.
func dieOf(int) {}

// systemShells ends with one that is always there.
func systemShells(getenv func(string) string) []string {
	return []string{getenv("COMSPEC"), "cmd.exe"}
}

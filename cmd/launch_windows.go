package cmd

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// errNoReplace is what replaceProcess says on Windows.
var errNoReplace = errors.New("a process cannot be replaced here")

// replaceProcess has no counterpart on Windows: the command runs as a child
// and the caller ends with its code.
func replaceProcess(command, []string) error { return errNoReplace }

// runChild runs the command on groat's own console and waits for it. Ctrl-C
// and Ctrl-Break reach it from the console itself; groat only stays alive
// until the command has decided. A job object ends the command, and what it
// started, when groat is killed.
func runChild(c command, environ []string) (childStatus, error) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)

	child := &exec.Cmd{
		Path: c.Path, Args: c.Args, Env: environ,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	job, jobErr := killOnCloseJob()
	if jobErr == nil {
		defer func() { _ = windows.CloseHandle(job) }()
	}
	if err := child.Start(); err != nil {
		return childStatus{}, &launchError{c.Args[0], exitNotExecutable, plainReason(err)}
	}
	if jobErr == nil {
		// Best effort: without the job the command still runs.
		_ = assign(job, uint32(child.Process.Pid))
	}
	return statusOf(child.Wait())
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

// dieWithParent is nothing; the job of runChild is the counterpart.
func dieWithParent() *syscall.SysProcAttr { return nil }

// noCore has nothing to do; see harden.
func noCore() {}

// killOnCloseJob makes a job whose processes end with its last handle, that
// is with groat. A process that breaks away on purpose is let go.
func killOnCloseJob() (windows.Handle, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0, err
	}
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
			LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | windows.JOB_OBJECT_LIMIT_BREAKAWAY_OK,
		},
	}
	_, err = windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	if err != nil {
		_ = windows.CloseHandle(job)
		return 0, err
	}
	return job, nil
}

func assign(job windows.Handle, pid uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, pid)
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	return windows.AssignProcessToJobObject(job, process)
}

// dieOf has nothing to reproduce: exit codes say everything on Windows.
func dieOf(int) {}

// systemShells ends with one that is always there.
func systemShells(getenv func(string) string) []string {
	return []string{getenv("COMSPEC"), "cmd.exe"}
}

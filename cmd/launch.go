package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Exit codes of a command that never ran (POSIX, "Exit Status for Commands").
const (
	exitNotExecutable = 126 // found, but it cannot be executed
	exitNotFound      = 127
)

// launchError says why a command did not start. Its exit code is the shells'.
type launchError struct {
	Command string
	Code    int
	Err     error
}

// Error is one line.
func (e *launchError) Error() string { return fmt.Sprintf("could not run %q: %v", e.Command, e.Err) }

// Unwrap gives the cause to errors.Is.
func (e *launchError) Unwrap() error { return e.Err }

// childStatus is how a child that ran has ended. Signal is 0 unless it died
// of one; Code is then 128 + Signal, as the shells have it.
type childStatus struct{ Code, Signal int }

// command is a program that was found, and the words it is started with.
type command struct {
	Path string
	Args []string // with the program's name as it was typed
}

// findCommand looks the program up as a shell does.
func findCommand(words []string) (command, error) {
	name := words[0]
	path, err := exec.LookPath(name)
	// On Unix a PATH that names "." is the user's own wish; Windows looks
	// into the current directory unasked, which is how programs get planted.
	if errors.Is(err, exec.ErrDot) && runtime.GOOS != "windows" {
		err = nil
	}
	if err == nil {
		return command{Path: path, Args: words}, nil
	}
	var notStarted *exec.Error
	if errors.As(err, &notStarted) {
		err = notStarted.Err
	}
	if !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
		return command{}, &launchError{name, exitNotExecutable, plainReason(err)}
	}
	if found := unexecutable(name, os.Getenv("PATH")); found != "" {
		return command{}, &launchError{found, exitNotExecutable, errUnexecutable}
	}
	return command{}, &launchError{name, exitNotFound, errors.New("command not found")}
}

// unexecutable finds a file of that name, on the path if it is a bare one,
// that cannot be run: worth another message, and another code, than no file at
// all.
func unexecutable(name, path string) string {
	folders := filepath.SplitList(path)
	if filepath.Base(name) != name {
		folders = []string{""}
	}
	for _, dir := range folders {
		full := filepath.Join(dir, name)
		if st, err := os.Stat(full); err == nil && st.Mode().IsRegular() {
			return full
		}
	}
	return ""
}

// plainReason drops the path that the message names already.
func plainReason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// isScript reports whether a file that the kernel will not execute may be a
// script without a #! line, which execvp(3) and the shells hand to sh: there
// is no NUL in its first bytes.
func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 128)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false
	}
	return !bytes.Contains(head[:n], []byte{0})
}

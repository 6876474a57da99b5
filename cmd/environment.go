package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"groat/cmd/child"
	"groat/vault/busguard"
)

// ProcessEnviron is the process's environment as its children should see it,
// the session bus's address included.
func ProcessEnviron() []string { return busguard.Environ() }

// environment is the one that was injected.
type environment struct {
	environ []string // NAME=value, each name once
	env     map[string]string
}

func newEnvironment(environ []string) environment {
	e := environment{environ: child.Once(environ), env: make(map[string]string, len(environ))}
	for _, kv := range e.environ {
		if name, value, ok := strings.Cut(kv, "="); ok && name != "" {
			e.env[child.Name(name)] = value
		}
	}
	return e
}

func (e environment) lookupEnv(name string) (string, bool) {
	v, ok := e.env[child.Name(name)]
	return v, ok
}

func (e environment) getenv(name string) string {
	v, _ := e.lookupEnv(name)
	return v
}

// lookPath finds a program as a shell would.
func (e environment) lookPath(program string) error {
	if filepath.Base(program) != program {
		_, err := exec.LookPath(program)
		return err
	}
	for _, dir := range filepath.SplitList(e.getenv("PATH")) {
		if _, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return nil
		}
	}
	return exec.ErrNotFound
}

// osUser is the name of who runs the program, "" if it cannot be told.
func (e environment) osUser() string {
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if v := e.getenv(name); v != "" {
			return v
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// program is the absolute path by which this program is found: the one in
// PATH if that is this very file, because it outlives an upgrade, else the
// file's own.
func (e environment) program() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("could not find this program's own path: %w", err)
	}
	mine, err := os.Stat(self)
	if err != nil {
		return self, nil // deleted or unreadable: its path is all there is
	}
	for _, dir := range filepath.SplitList(e.getenv("PATH")) {
		path := filepath.Join(dir, "groat")
		if runtime.GOOS == "windows" {
			path += ".exe"
		}
		if fi, err := os.Stat(path); err == nil && filepath.IsAbs(path) && os.SameFile(fi, mine) {
			return path, nil
		}
	}
	return self, nil
}

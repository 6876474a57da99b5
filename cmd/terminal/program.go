package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"groat/vault/files"
)

// program is a driver that is another program, run once per question.
type program struct {
	u    *UI
	id   string
	path string
}

func (u *UI) newProgram(name string) (program, error) {
	path, err := u.lookPath(name)
	return program{u, name, path}, err
}

func (p program) name() string { return p.id }
func (p program) close()       {}

// result is how a program ended.
type result struct {
	stdout []byte
	stderr string // for an error message
	code   int    // -1: killed by a signal
}

// command prepares the program so that it ends when ctx does and dies with
// this process. args never hold a secret: everybody can read them.
func (p program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = p.u.opts.Environ
	cmd.Cancel = func() error { return terminate(cmd.Process) }
	cmd.WaitDelay = 500 * time.Millisecond
	dieWithParent(cmd)
	return cmd
}

// run runs the program to its end and returns what it printed.
func (p program) run(ctx context.Context, stdin string, stderr io.Writer, args ...string) (result, error) {
	cmd := p.command(ctx, args...)
	out, errs := files.Bounded{Max: 64 << 10}, files.Bounded{Max: 4 << 10}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	if stderr != nil {
		cmd.Stderr = io.MultiWriter(cmd.Stderr, stderr)
	}
	err := runLocked(cmd)
	if ctx.Err() != nil {
		return result{}, ended(ctx)
	}
	r := result{stdout: out.Bytes(), stderr: errs.String()}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.code = exit.ExitCode()
	case err != nil:
		return result{}, fmt.Errorf("could not run %s: %w", p.id, err)
	}
	return r, nil
}

// broken is the error for an end that is neither an answer nor a cancel. What
// a window's toolkit writes is for its developers.
func (p program) broken(r result) error {
	p.u.opts.Debugf("%s wrote: %s", p.id, r.stderr)
	return fmt.Errorf("exit code %d", r.code)
}

func firstOf(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// secondsLeft is the deadline for a program that keeps its own; 0 = none.
func secondsLeft(ctx context.Context) int {
	t, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return max(1, int(time.Until(t)/time.Second))
}

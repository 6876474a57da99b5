package child

import (
	"io"
	"os/exec"
)

// Run runs a helper to its end. When its context gives it up, everything that
// it has started ends with it. Its stderr passes through groat, so that what
// it leaves running holds nothing of groat's caller.
//
// The helper stays in groat's process group: it may ask on the terminal, and
// Ctrl-C reaches both.
func Run(cmd *exec.Cmd) error {
	if cmd.Stderr != nil {
		cmd.Stderr = struct{ io.Writer }{cmd.Stderr} // no file, which would be handed over
	}
	t := newTree(cmd)
	defer t.close()
	if cmd.Cancel != nil { // only what has a context is given up
		cmd.Cancel = t.end
	}
	if err := t.start(); err != nil {
		return err
	}
	return cmd.Wait()
}

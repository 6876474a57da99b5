//go:build !windows

package child

import "os/exec"

// Prepare has nothing to do where programs get their arguments one by one.
func Prepare(*exec.Cmd) error { return nil }

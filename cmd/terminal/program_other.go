//go:build !linux

package terminal

import "os/exec"

func dieWithParent(*exec.Cmd) {}

func runLocked(cmd *exec.Cmd) error { return cmd.Run() }

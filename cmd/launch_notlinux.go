//go:build unix && !linux

package cmd

import "syscall"

// dieWithParent is nothing: only Linux ties a child's life to its parent's.
func dieWithParent() *syscall.SysProcAttr { return nil }

//go:build !windows

package provider

import (
	"context"
	"os/exec"
)

// Shell runs one line as the SDKs do.
func Shell(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", line)
}

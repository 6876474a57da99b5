//go:build !windows

package provider

import (
	"context"
	"os/exec"
)

// shell runs one line as the SDKs do.
func shell(ctx context.Context, line string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", "-c", line)
}

//go:build unix

package provider

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"
)

// A signal of the terminal kills the child first and ends ctx a moment later:
// that is an interruption, not a process that failed.
func TestSignalReachesTheChildFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := &Minter{Run: func(cmd *exec.Cmd) error {
		err := cmd.Run()
		time.AfterFunc(5*time.Millisecond, cancel)
		return err
	}}
	for _, line := range []string{"kill -INT $$", "exit 130"} {
		if _, err := m.runLine(ctx, "mfa_process", []string{"p"}, line, time.Minute); !errors.Is(err, ErrInterrupted) {
			t.Errorf("%s: %v", line, err)
		}
		ctx, cancel = context.WithCancel(t.Context())
	}
	cancel()
	m.Run = nil
	if _, err := m.runLine(t.Context(), "mfa_process", []string{"p"}, "exit 143", time.Minute); !errors.Is(err, ErrBadProcess) {
		t.Errorf("a failure of its own: %v", err)
	}
}

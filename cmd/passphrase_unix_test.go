//go:build unix

package cmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"groat/vault"
)

// TestAPipeThatNobodyWrites: a passphrase file may be a pipe, and Ctrl-C ends
// the wait for who should write to it.
func TestAPipeThatNobodyWrites(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	a := newApp([]string{"HOME=" + t.TempDir()}, Streams{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := a.passphrases.fromFile(ctx, pipe); !errors.Is(err, vault.ErrLocked) {
		t.Errorf("nobody wrote: %v", err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0) // lets the reader that was left go
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteString("sesame\n"); err != nil {
		t.Fatal(err)
	}
}

package cmd

import (
	"errors"
	"syscall"
	"testing"

	"groat/provider"
)

// Ctrl-C declines what is being asked, for all who wait; other signals stop
// one process.
func TestOnlyCtrlCDeclines(t *testing.T) {
	for number, declines := range map[syscall.Signal]bool{syscall.SIGINT: true, syscall.SIGTERM: false, syscall.SIGHUP: false} {
		if errors.Is(&signalError{number}, provider.ErrCancelled) != declines {
			t.Errorf("%v", number)
		}
	}
}

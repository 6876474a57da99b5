package cmd

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"groat/provider"
	"groat/provider/profile"
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

// Those who wait are told what for.
func TestWhatIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		kind   profile.SourceKind
		asking bool
		want   string
	}{
		{profile.SourceKey, true, "asking for a token code"},
		{profile.SourceSSO, true, "signing in"},
		{profile.SourceSSO, false, "getting the same credentials"},
	} {
		var said strings.Builder
		a := newApp([]string{"HOME=" + t.TempDir()}, Streams{Err: &said})
		a.cli.NoInput = true
		a.prompts.waitingFor(&planned{Plan: &provider.Plan{Source: profile.Source{Kind: c.kind}}})("process 7", c.asking)
		if !strings.HasPrefix(said.String(), "groat: waiting for process 7, which is ") || !strings.HasSuffix(said.String(), c.want+"\n") {
			t.Errorf("%+v: said %q", c, said.String())
		}
	}
}

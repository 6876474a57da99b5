package cmd

import (
	"testing"

	"golang.org/x/sys/unix"
)

// No process of groat's can be dumped, whatever it was asked for.
func TestNothingCanBeDumped(t *testing.T) {
	runMain(t, nil, "", "version")
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable %d, %v", dumpable, err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 {
		t.Errorf("core limit %d, %v", core.Cur, err)
	}
}

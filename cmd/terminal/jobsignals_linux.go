package terminal

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// setsInBackground: the terminal can be restored from the background, too.
const setsInBackground = true

// withoutJobSignals keeps a read or write that happens in the background
// after all from stopping the process: with SIGTTIN and SIGTTOU blocked it
// fails (EIO). They are blocked on this thread alone, because a signal that
// was ignored would stay ignored in every program started later.
func withoutJobSignals() (restore func()) {
	runtime.LockOSThread()
	var block, old unix.Sigset_t
	for _, s := range []uint{uint(unix.SIGTTIN), uint(unix.SIGTTOU)} {
		block.Val[0] |= 1 << (s - 1)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &block, &old); err != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
		runtime.UnlockOSThread()
	}
}

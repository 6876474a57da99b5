//go:build unix && !linux

package terminal

// terminalLock does nothing where the terminal behind /dev/tty cannot be
// named: several prompts at once then stand on the screen one after another.
type terminalLock struct{}

func (*terminalLock) tryAcquire(int) (bool, error) { return true, nil }
func (*terminalLock) tryNotice(int) bool           { return true }
func (*terminalLock) release()                     {}

//go:build unix && !linux

package terminal

// setsInBackground: setting the terminal from the background would stop us
// (SIGTTOU), and a shell that has taken it back sets it itself.
const setsInBackground = false

// withoutJobSignals does nothing: the foreground is looked at before every
// read and write, and what slips through stops the job as it would any other.
func withoutJobSignals() (restore func()) { return func() {} }

//go:build unix && !linux

package terminal

// withoutJobSignals does nothing: the foreground is looked at before every
// read and write, and what slips through stops the job as it would any other.
func withoutJobSignals() (restore func()) { return func() {} }

//go:build !linux

package vault

func noteHolder(string) {}

// holderStopped knows nothing here: a stopped holder is waited for.
func holderStopped(string) bool { return false }

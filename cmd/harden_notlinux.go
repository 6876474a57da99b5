//go:build unix && !linux

package cmd

// undumpable has no counterpart here that works without entitlements; the
// core limit of harden stands alone.
func undumpable() {}

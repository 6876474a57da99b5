//go:build !linux

package vault

import "time"

// noKeyMemory remembers nothing: Keychain and Credential Manager are the
// stores to use on systems without a kernel keyring.
type noKeyMemory struct{}

func newKeyMemory() keyMemory { return noKeyMemory{} }

func (noKeyMemory) load([16]byte) (remembered, bool) { return remembered{}, false }

func (noKeyMemory) store([16]byte, vaultKey, uint64, time.Duration) error { return ErrNoUnlockMemory }

func (noKeyMemory) drop([16]byte) error { return nil }

package vault

import (
	"encoding/hex"
	"errors"
	"time"
)

// ErrNoUnlockMemory says that this system has nowhere to remember a vault
// key: no kernel keyring, or one that is full or forbidden (as in many
// containers). The vault works without it and asks each time.
var ErrNoUnlockMemory = errors.New("this system has no kernel keyring that groat may use")

// keyMemory remembers a vault's key, never its passphrase, for a fixed time.
// Nothing that comes out of it is believed before it opens the header's seal.
// It remembers the header's generation too, so that an older header is known
// for one although both copies were put back.
type keyMemory interface {
	load(id [16]byte) (remembered, bool)
	store(id [16]byte, key vaultKey, generation uint64, d time.Duration) error
	drop(id [16]byte) error // nil when nothing was remembered
}

type remembered struct {
	key        vaultKey
	generation uint64
	left       time.Duration
}

// memoryName is the name of a vault's key in the kernel keyring.
func memoryName(id [16]byte) string { return "groat:vault:" + hex.EncodeToString(id[:]) }

package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// kernelMemory keeps vault keys in the user keyring of the Linux kernel
// (keyrings(7)), which every later process of the same user can search,
// whatever its session. The key dies with its time-out, at the last log-out
// of the user, and at a reboot; it is never swapped out in the clear to a file.
type kernelMemory struct{}

func newKeyMemory() keyMemory { return kernelMemory{} }

// forUser lets the possessor and the user do everything with a key: a later
// process does not possess it, so that its right to read comes from the user's.
const forUser = 0x3f3f0000

// The payload is the key, the header's generation and, because the kernel
// does not tell a key's time-out, its end in Unix seconds.
const payloadLen = len(vaultKey{}) + 8 + 8

func (kernelMemory) load(id [16]byte) (m remembered, ok bool) {
	serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", memoryName(id), 0)
	if err != nil {
		return m, false
	}
	var buf [payloadLen + 1]byte
	defer clear(buf[:])
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, serial, buf[:], 0)
	if err != nil || n != payloadLen {
		return m, false
	}
	rest := buf[copy(m.key[:], buf[:]):]
	m.generation = binary.BigEndian.Uint64(rest)
	m.left = time.Until(time.Unix(int64(binary.BigEndian.Uint64(rest[8:])), 0))
	return m, true
}

// store makes the key in the thread's own keyring first: there we possess it
// and may set its rights and its time-out before anybody can find it. Linking
// it to the user keyring then replaces an older one in one step.
func (kernelMemory) store(id [16]byte, key vaultKey, generation uint64, d time.Duration) error {
	seconds := int64((d + time.Second - 1) / time.Second)
	if seconds < 1 || seconds > math.MaxInt32 {
		return fmt.Errorf("cannot remember a key for %v", d)
	}
	payload := append(make([]byte, 0, payloadLen), key[:]...)
	defer clear(payload[:payloadLen])
	payload = binary.BigEndian.AppendUint64(payload, generation)
	payload = binary.BigEndian.AppendUint64(payload, uint64(time.Now().Unix()+seconds))
	runtime.LockOSThread() // the thread keyring is this thread's
	defer runtime.UnlockOSThread()
	serial, err := unix.AddKey("user", memoryName(id), payload, unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return noMemory(err)
	}
	defer func() { _, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, unix.KEY_SPEC_THREAD_KEYRING, 0, 0) }()
	if err := unix.KeyctlSetperm(serial, forUser); err != nil {
		return noMemory(err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, serial, int(seconds), 0, 0); err != nil {
		return noMemory(err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_LINK, serial, unix.KEY_SPEC_USER_KEYRING, 0, 0); err != nil {
		return noMemory(err)
	}
	return nil
}

func (kernelMemory) drop(id [16]byte) error {
	serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", memoryName(id), 0)
	if err != nil { // missing, expired, revoked, or no keyring at all: nothing is remembered
		return nil
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_UNLINK, serial, unix.KEY_SPEC_USER_KEYRING, 0, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("could not forget the vault key: %w", err)
	}
	return nil
}

func noMemory(err error) error { return fmt.Errorf("%w: %w", ErrNoUnlockMemory, err) }

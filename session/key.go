package session

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Key names a cache entry: 64 lower-case hex digits of SHA-256 over
// everything that AWS was or would be asked for.
type Key string

// NewKey hashes the fields in their order. Every field is written with its
// length before it, so that no two different lists of fields have the same
// encoding ("ab","c" is not "a","bc").
func NewKey(fields ...string) Key {
	h := sha256.New()
	var n [8]byte
	for _, f := range fields {
		binary.BigEndian.PutUint64(n[:], uint64(len(f)))
		h.Write(n[:])
		h.Write([]byte(f))
	}
	return Key(hex.EncodeToString(h.Sum(nil)))
}

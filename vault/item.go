package vault

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Bounds of what a vault holds. They keep every read bounded and leave room
// in the backends with the smallest items.
const (
	MaxName = 4096    // bytes of an item's name
	MaxItem = 1 << 20 // bytes of an item's data
)

// maxEncoded bounds an encoded name, so that a chunk's suffix and a
// backend's own prefix still fit into 200 bytes.
const maxEncoded = 150

// hashMark begins the body of a hashed name. 'h' is no hex digit, so that it
// cannot be an escape.
const hashMark = "_h"

var kinds = []Kind{KindKey, KindCard, KindSession, KindToken, KindSeed, KindJournal, kindName}

// kindName holds the exact name of an item whose encoded name is a hash, for
// the backends that encrypt whole items and still must list names without
// opening secrets. Its own name is the encoded name of that item.
const kindName Kind = "name"

// EncodeName gives the name under which a backend stores an item. Different
// (kind, name) pairs have different encodings, also where the backend folds
// case; it is at most 150 bytes of [a-z0-9._-], starts with the kind, never
// ends with a dot, and never depends on the backend.
//
// Readable names stay readable ("key.prod"): other bytes, upper case
// included, are written as '_' and two hex digits. A name that would become
// too long, and the empty one, is a SHA-256 instead; see IsHashed.
func EncodeName(kind Kind, name string) string {
	var b strings.Builder
	b.WriteString(string(kind))
	b.WriteByte('.')
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '.' && i < len(name)-1:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
		if b.Len() > maxEncoded {
			break
		}
	}
	if name != "" && b.Len() <= maxEncoded {
		return b.String()
	}
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + name))
	return string(kind) + "." + hashMark + hex.EncodeToString(sum[:])
}

// DecodeName undoes EncodeName. For a hashed name only the kind is known:
// name is empty and hashed is true. ok is false for anything that EncodeName
// never returns (foreign items, temporary files, chunks).
func DecodeName(encoded string) (kind Kind, name string, hashed, ok bool) {
	k, body, found := strings.Cut(encoded, ".")
	if !found || !knownKind(Kind(k)) {
		return "", "", false, false
	}
	kind = Kind(k)
	if sum, is := strings.CutPrefix(body, hashMark); is {
		raw, err := hex.DecodeString(sum)
		if err != nil || len(raw) != sha256.Size || sum != strings.ToLower(sum) {
			return "", "", false, false
		}
		return kind, "", true, true
	}
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		if body[i] != '_' {
			b.WriteByte(body[i])
			continue
		}
		if i+2 >= len(body) {
			return "", "", false, false
		}
		raw, err := hex.DecodeString(body[i+1 : i+3])
		if err != nil {
			return "", "", false, false
		}
		b.WriteByte(raw[0])
		i += 2
	}
	// Only the one true encoding of a name is ours.
	if name = b.String(); EncodeName(kind, name) != encoded {
		return "", "", false, false
	}
	return kind, name, false, true
}

// IsHashed reports whether the item's encoded name is a hash, from which the
// name cannot be read back.
func IsHashed(kind Kind, name string) bool {
	return strings.HasPrefix(EncodeName(kind, name), string(kind)+"."+hashMark)
}

func knownKind(kind Kind) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// checkItem refuses what no backend could hold. data is nil for reads.
func checkItem(kind Kind, name string, data []byte) error {
	switch {
	case !knownKind(kind):
		return fmt.Errorf("unknown kind of item %q", string(kind))
	case len(name) > MaxName:
		return fmt.Errorf("name of %d bytes is longer than %d", len(name), MaxName)
	case len(data) > MaxItem:
		return fmt.Errorf("item of %d bytes is larger than %d", len(data), MaxItem)
	}
	return nil
}

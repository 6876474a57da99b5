package vault

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
)

// The envelope is what the backends that encrypt by themselves store: it
// names its item, so that a swapped or renamed one is noticed, and carries a
// checksum, so that a truncated one is. Layout:
//
//	"groat\x00e\x01" | len(kind) 1 | kind | len(name) 2 | name | len(data) 4 | data | SHA-256 of all before
//
// Numbers are big-endian. The checksum is no protection against somebody who
// can write to the backend: that is the backend's own encryption's part.
var envelopeMagic = []byte("groat\x00e\x01")

// WrapEnvelope packs an item for a backend that encrypts by itself. The
// caller has bounded kind, name and data by MaxName and MaxItem.
func WrapEnvelope(kind Kind, name string, data []byte) []byte {
	b := make([]byte, 0, len(envelopeMagic)+1+len(kind)+2+len(name)+4+len(data)+sha256.Size)
	b = append(b, envelopeMagic...)
	b = appendLabel(b, kind, name)
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// UnwrapEnvelope gives back the data of exactly this item; everything else
// (another item's envelope, foreign bytes, a truncated one) is ErrCorrupt.
func UnwrapEnvelope(kind Kind, name string, envelope []byte) ([]byte, error) {
	k, n, data, err := OpenEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	if k != kind || n != name {
		return nil, because(ErrCorrupt, "it holds the %s item of another name", k)
	}
	return data, nil
}

// OpenEnvelope gives back what an envelope says of itself. Prefer
// UnwrapEnvelope wherever the item's name is known.
func OpenEnvelope(envelope []byte) (kind Kind, name string, data []byte, err error) {
	if len(envelope) < len(envelopeMagic)+sha256.Size || !bytes.HasPrefix(envelope, envelopeMagic) {
		return "", "", nil, notOurs(envelope, envelopeMagic, "it")
	}
	body, sum := envelope[:len(envelope)-sha256.Size], envelope[len(envelope)-sha256.Size:]
	if want := sha256.Sum256(body); subtle.ConstantTimeCompare(sum, want[:]) != 1 {
		return "", "", nil, because(ErrCorrupt, "it is truncated or was changed")
	}
	kind, name, rest, ok := cutLabel(body[len(envelopeMagic):])
	if !ok || len(rest) < 4 || uint64(binary.BigEndian.Uint32(rest)) != uint64(len(rest)-4) {
		return "", "", nil, because(ErrCorrupt, "it is malformed")
	}
	return kind, name, bytes.Clone(rest[4:]), nil
}

// appendLabel writes kind and name, each after its length.
func appendLabel(b []byte, kind Kind, name string) []byte {
	b = append(b, byte(len(kind)))
	b = append(b, kind...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(name)))
	return append(b, name...)
}

// cutLabel reads what appendLabel wrote; it is bounded by its input.
func cutLabel(b []byte) (kind Kind, name string, rest []byte, ok bool) {
	if len(b) < 1 || len(b) < 1+int(b[0])+2 {
		return "", "", nil, false
	}
	k, b := string(b[1:1+int(b[0])]), b[1+int(b[0]):]
	n := int(binary.BigEndian.Uint16(b))
	if n > MaxName || len(b) < 2+n || !knownKind(Kind(k)) {
		return "", "", nil, false
	}
	return Kind(k), string(b[2 : 2+n]), b[2+n:], true
}

package vault

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// rawStore is a backend below the envelope: opaque values by encoded name.
// get and remove return an error wrapping ErrNotFound for a missing value.
type rawStore interface {
	get(name string) ([]byte, error)
	put(name string, value []byte) error
	remove(name string) error
	names() ([]string, error)
}

// chunkMark separates an encoded name from a chunk's generation and number.
// 'x' is no hex digit, so that no encoded name contains it.
const chunkMark = "_x"

// A manifest stands in the place of a value that is too large for one item:
//
//	"groat\x00m\x01" | generation 8 | number of chunks 4 | length of the value 4 | SHA-256 of the value 32
var manifestMagic = []byte("groat\x00m\x01")

const (
	manifestLen = 8 + 8 + 4 + 4 + sha256.Size
	maxChunks   = 4096
)

func chunkName(name string, generation []byte, i int) string {
	return fmt.Sprintf("%s%s%s.%d", name, chunkMark, hex.EncodeToString(generation), i)
}

// putChunked stores a value whole where limit allows, else as chunks of a
// new generation and then the manifest. Writing the head is the one moment
// that makes the value new: a reader has the old or the new one, never a
// mix. Chunks of other generations are removed afterwards; the caller holds
// the backend's write lock, so that they cannot be another writer's.
func putChunked(s rawStore, limit int, name string, value []byte) error {
	if limit <= manifestLen {
		return fmt.Errorf("item limit of %d bytes is too small", limit)
	}
	generation := make([]byte, 8)
	_, _ = rand.Read(generation) // never fails (crypto/rand since Go 1.24)
	head := value
	if len(value) > limit {
		n := (len(value) + limit - 1) / limit
		if n > maxChunks {
			return fmt.Errorf("value of %d bytes needs more than %d chunks", len(value), maxChunks)
		}
		for i := range n {
			part := value[i*limit : min((i+1)*limit, len(value))]
			if err := s.put(chunkName(name, generation, i), part); err != nil {
				return errors.Join(err, sweepChunks(s, name, headGeneration(s, name)))
			}
		}
		sum := sha256.Sum256(value)
		head = append(bytes.Clone(manifestMagic), generation...)
		head = binary.BigEndian.AppendUint32(head, uint32(n))
		head = binary.BigEndian.AppendUint32(head, uint32(len(value)))
		head = append(head, sum[:]...)
	}
	if err := s.put(name, head); err != nil {
		return err
	}
	// The value is stored; chunks that cannot be swept now are swept next time.
	_ = sweepChunks(s, name, generation)
	return nil
}

// getChunked reads what putChunked stored. A replacement that happens in
// between is read anew; a value with a missing or foreign chunk is ErrCorrupt.
func getChunked(s rawStore, name string) ([]byte, error) {
	var last []byte
	for {
		head, err := s.get(name)
		if err != nil {
			return nil, err
		}
		if isNewer(head, manifestMagic) {
			return nil, errNewer
		}
		if !bytes.HasPrefix(head, manifestMagic) {
			return head, nil
		}
		value, err := joinChunks(s, name, head)
		if err == nil || !errors.Is(err, ErrCorrupt) || bytes.Equal(head, last) {
			return value, err
		}
		last = head // replaced meanwhile? Only a head that stays the same is damaged.
	}
}

func joinChunks(s rawStore, name string, head []byte) ([]byte, error) {
	if len(head) != manifestLen {
		return nil, because(ErrCorrupt, "its list of parts is damaged")
	}
	generation := head[8:16]
	n, size := binary.BigEndian.Uint32(head[16:]), binary.BigEndian.Uint32(head[20:])
	if n > maxChunks || size > 2*MaxItem {
		return nil, because(ErrCorrupt, "its list of parts is damaged")
	}
	var value []byte
	for i := range int(n) {
		part, err := s.get(chunkName(name, generation, i))
		if errors.Is(err, ErrNotFound) {
			return nil, because(ErrCorrupt, "a part of it is missing")
		}
		if err != nil {
			return nil, err
		}
		if value = append(value, part...); len(value) > int(size) {
			break
		}
	}
	if sum := sha256.Sum256(value); !bytes.Equal(sum[:], head[24:]) || len(value) != int(size) {
		return nil, because(ErrCorrupt, "its parts do not fit together")
	}
	return value, nil
}

// removeChunked removes the head first: from then on the item is missing,
// whatever becomes of its chunks.
func removeChunked(s rawStore, name string) error {
	if err := s.remove(name); err != nil {
		return err
	}
	_ = sweepChunks(s, name, nil)
	return nil
}

// headGeneration is the generation that is in force, nil if there is none.
func headGeneration(s rawStore, name string) []byte {
	head, err := s.get(name)
	if err != nil || !bytes.HasPrefix(head, manifestMagic) || len(head) != manifestLen {
		return nil
	}
	return head[8:16]
}

// sweepChunks removes the chunks of name that are not of the generation keep.
func sweepChunks(s rawStore, name string, keep []byte) error {
	all, err := s.names()
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range all {
		rest, is := strings.CutPrefix(n, name+chunkMark)
		if !is || (keep != nil && strings.HasPrefix(rest, hex.EncodeToString(keep)+".")) {
			continue
		}
		if err := s.remove(n); err != nil && !errors.Is(err, ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"groat/vault/fault"
)

// The header of a file vault, 290 bytes, numbers big-endian:
//
//	"groat\x00h\x02"                          8
//	vault id, random                         16
//	generation: how often it was wrapped      8
//	KDF: 1 = Argon2id (RFC 9106)              1
//	     memory in KiB 4, passes 4, lanes 1   9
//	     salt, random                        32
//	vault key, wrapped                       72
//	seed key, wrapped                        72
//	seal: empty text under the vault key     40
//	SHA-256 of all before                    32
//
// wrapped = nonce 24 | XChaCha20-Poly1305 ciphertext. The two halves of the
// KDF's 64 bytes wrap the two keys. The associated data of each of the three
// is its purpose and everything before it, so that no byte can be changed
// unseen; the checksum tells damage (use the other copy) from a wrong
// passphrase. The generation tells an older header, which an older passphrase
// opens, from the newest. Version 1 has none, which is read as 0.
type header struct {
	id         [16]byte
	generation uint64
	kdf        kdfCost
	salt       [32]byte
	key        [wrappedLen]byte
	seedKey    [wrappedLen]byte
	seal       [sealLen]byte
}

// kdfCost is what deriving a key costs.
type kdfCost struct {
	memory, passes uint32 // KiB; iterations
	lanes          uint8
}

// errHeader is a damaged header, without which no item opens.
var errHeader = fmt.Errorf("header: %w", ErrCorrupt)

func headerError(what string) error { return fault.New(what, "", errHeader) }

// vaultKey opens items; seedKey opens those of KindSeed.
type vaultKey [chacha20poly1305.KeySize]byte

const (
	overhead   = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	wrappedLen = chacha20poly1305.KeySize + overhead
	sealLen    = overhead
	headerLen  = 8 + 16 + 8 + 1 + 9 + 32 + 2*wrappedLen + sealLen + sha256.Size
)

var headerMagic = []byte("groat\x00h\x02")

// maxHeader bounds what is read of a header, which a later version may have made longer.
const maxHeader = 4096

// The bounds of what a header may ask for. The lower one is OWASP's minimum
// for Argon2id, which it holds equal to 600,000 iterations of PBKDF2 with
// HMAC-SHA-256; the upper one keeps a forged header from exhausting the machine.
const (
	minMemory, maxMemory = 19 << 10, 512 << 10
	minPasses, maxPasses = 2, 16
	maxLanes             = 16
)

// A new passphrase takes the machine that it is chosen on about kdfTarget, with
// the memory and the lanes of RFC 9106's second recommendation (section 4); a
// slow machine uses less memory. See docs/decisions/0145.
const (
	kdfTarget   = 200 * time.Millisecond
	usualMemory = 64 << 10
	usualLanes  = 4
)

// probeCost is derived three times to know the machine; the fastest counts,
// because the others also measured whoever else was busy.
var probeCost = kdfCost{memory: 16 << 10, passes: 2, lanes: usualLanes}

// leastCost is OWASP's minimum for Argon2id.
var leastCost = kdfCost{memory: minMemory, passes: minPasses, lanes: 1}

// costHere measures what this machine does in kdfTarget.
func costHere() kdfCost {
	probe := header{kdf: probeCost}
	fastest := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		probe.derive(nil)
		fastest = min(fastest, time.Since(start))
	}
	return costFor(fastest)
}

// costFor scales from how long probeCost took.
func costFor(probe time.Duration) kdfCost {
	// work is memory (KiB) times passes, to which the time is proportional.
	work := float64(probeCost.memory*probeCost.passes) * kdfTarget.Seconds() / max(probe, time.Millisecond).Seconds()
	c := kdfCost{memory: usualMemory, passes: minPasses, lanes: usualLanes}
	if passes := work / usualMemory; passes >= minPasses {
		c.passes = uint32(min(math.Round(passes), maxPasses))
	} else {
		c.memory = max(uint32(work/minPasses), minMemory)
	}
	return c
}

func (c kdfCost) check() error {
	if c.memory < minMemory || c.memory > maxMemory || c.passes < minPasses || c.passes > maxPasses || c.lanes < 1 || c.lanes > maxLanes {
		return headerError("the vault's header asks for a key derivation out of bounds")
	}
	return nil
}

// newHeader makes the header of a new vault, with new keys.
func newHeader(passphrase []byte, cost kdfCost) (*header, vaultKey, vaultKey) {
	var h header
	var key, seedKey vaultKey
	for _, b := range [][]byte{h.id[:], key[:], seedKey[:]} {
		_, _ = rand.Read(b) // never fails (crypto/rand since Go 1.24)
	}
	h.wrap(passphrase, cost, key, seedKey)
	return &h, key, seedKey
}

// wrap puts both keys under a passphrase, with a new salt, as the next generation.
func (h *header) wrap(passphrase []byte, cost kdfCost, key, seedKey vaultKey) {
	h.generation++
	h.kdf = cost
	_, _ = rand.Read(h.salt[:])
	kek := h.derive(passphrase)
	defer clear(kek[:])
	copy(h.key[:], sealBox(&kek[0], key[:], h.bound("wrap key")))
	copy(h.seedKey[:], sealBox(&kek[1], seedKey[:], h.bound("wrap seed key")))
	copy(h.seal[:], sealBox(&key, nil, h.bound("seal")))
}

func (h *header) derive(passphrase []byte) (kek [2]vaultKey) {
	derived := argon2.IDKey(passphrase, h.salt[:], h.kdf.passes, h.kdf.memory, h.kdf.lanes, 64)
	copy(kek[1][:], derived[copy(kek[0][:], derived):])
	clear(derived)
	return kek
}

// open unwraps both keys. A wrong passphrase is ErrPassphrase.
func (h *header) open(passphrase []byte) (key, seedKey vaultKey, err error) {
	kek := h.derive(passphrase)
	defer clear(kek[:])
	k, err := openBox(&kek[0], h.key[:], h.bound("wrap key"))
	if err != nil {
		return key, seedKey, ErrPassphrase
	}
	s, err := openBox(&kek[1], h.seedKey[:], h.bound("wrap seed key"))
	if err != nil {
		return key, seedKey, headerError("the vault's header was changed")
	}
	copy(key[:], k)
	copy(seedKey[:], s)
	clear(k)
	clear(s)
	if !h.opens(key) {
		return vaultKey{}, vaultKey{}, headerError("the vault's header was changed")
	}
	return key, seedKey, nil
}

// opens reports whether key is this header's vault key and the header is as
// the holder of that key wrote it.
func (h *header) opens(key vaultKey) bool {
	_, err := openBox(&key, h.seal[:], h.bound("seal"))
	return err == nil
}

// bound is the associated data of one of the header's boxes: the purpose and
// every byte before the box.
func (h *header) bound(purpose string) []byte {
	b := append([]byte("groat vault "+purpose+"\x00"), h.fixed()...)
	if purpose != "wrap key" {
		b = append(b, h.key[:]...)
	}
	if purpose == "seal" {
		b = append(b, h.seedKey[:]...)
	}
	return b
}

// version of the format: only a header that was never wrapped since
// generations exist is of the first.
func (h *header) version() byte {
	if h.generation == 0 {
		return 1
	}
	return 2
}

func (h *header) fixed() []byte {
	b := bytes.Clone(headerMagic)
	b[7] = h.version()
	b = append(b, h.id[:]...)
	if h.version() > 1 {
		b = binary.BigEndian.AppendUint64(b, h.generation)
	}
	b = append(b, 1)
	b = binary.BigEndian.AppendUint32(b, h.kdf.memory)
	b = binary.BigEndian.AppendUint32(b, h.kdf.passes)
	b = append(b, h.kdf.lanes)
	return append(b, h.salt[:]...)
}

func (h *header) encode() []byte {
	b := h.fixed()
	b = append(b, h.key[:]...)
	b = append(b, h.seedKey[:]...)
	b = append(b, h.seal[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// parseHeader reads a header without believing it: only a key that opens the
// seal makes it genuine.
func parseHeader(b []byte) (*header, error) {
	damaged := headerError("the vault's header is damaged")
	if len(b) < headerLen-8 || !bytes.HasPrefix(b, headerMagic[:7]) {
		return nil, damaged
	}
	body := b[:len(b)-sha256.Size] // in every version
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) {
		return nil, damaged
	}
	if isNewer(b, headerMagic) {
		return nil, errNewerHeader
	}
	if len(b) != headerLen && len(b) != headerLen-8 {
		return nil, damaged
	}
	var h header
	rest := body[8+copy(h.id[:], body[8:]):]
	if len(b) == headerLen {
		h.generation = binary.BigEndian.Uint64(rest)
		rest = rest[8:]
	}
	if b[7] != h.version() || rest[0] != 1 {
		return nil, damaged
	}
	h.kdf = kdfCost{memory: binary.BigEndian.Uint32(rest[1:]), passes: binary.BigEndian.Uint32(rest[5:]), lanes: rest[9]}
	rest = rest[10:]
	for _, field := range [][]byte{h.salt[:], h.key[:], h.seedKey[:], h.seal[:]} {
		rest = rest[copy(field, rest):]
	}
	return &h, h.kdf.check()
}

var errBox = errors.New("cannot be opened")

func sealBox(key *vaultKey, plain, bound []byte) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSizeX, overhead+len(plain))
	_, _ = rand.Read(nonce)
	return newAEAD(key).Seal(nonce, nonce, plain, bound)
}

func openBox(key *vaultKey, box, bound []byte) ([]byte, error) {
	if len(box) < overhead {
		return nil, errBox
	}
	plain, err := newAEAD(key).Open(nil, box[:chacha20poly1305.NonceSizeX], box[chacha20poly1305.NonceSizeX:], bound)
	if err != nil {
		return nil, errBox
	}
	return plain, nil
}

// newAEAD is XChaCha20-Poly1305: nonces of 192 bits may be random for ever.
func newAEAD(key *vaultKey) cipher.AEAD {
	aead, _ := chacha20poly1305.NewX(key[:]) // refuses only keys of another length
	return aead
}

// Package format reads a file vault by the description of the format alone.
// Nothing of the product is in it, so that it can judge what the product left:
// an error in both would have to be made twice.
package format

import (
	"bytes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

// Item names an item.
type Item struct{ Kind, Name string }

// Vault is what a directory held.
type Vault struct {
	Items  map[Item][]byte
	Left   []string // files of writes that did not end
	Copies int      // whole headers: 1 or 2
}

const (
	nonce    = chacha20poly1305.NonceSizeX
	box      = nonce + 32 + chacha20poly1305.Overhead
	lengthV1 = 8 + 16 + 10 + 32 + 2*box + nonce + chacha20poly1305.Overhead + 32
)

// header is a header's parts as they lie in its file.
type header struct {
	raw        []byte
	id         []byte
	generation uint64
	cost       []byte // KDF, memory, passes, lanes
	salt       []byte
	wraps      []byte // the vault key, the seed key, the seal
	fixed      int    // where the wraps begin
}

// Read opens every item of the vault in dir. An error names the first file
// that is not as it should be; a directory that does not exist is empty.
func Read(dir, passphrase string) (Vault, error) {
	v := Vault{Items: map[Item][]byte{}}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return v, err
	}
	var newest *header
	for _, name := range []string{"header", "header.bak"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return v, err
		}
		if h := parse(raw); h != nil {
			v.Copies++
			if newest == nil || h.generation > newest.generation {
				newest = h
			}
		}
	}
	var keys *keys
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, ".tmp-"):
			v.Left = append(v.Left, name)
			continue
		case name == "header", name == "header.bak", name == "locks" && e.IsDir():
			continue
		}
		if newest == nil {
			return v, fmt.Errorf("%s: no whole header opens it", name)
		}
		if keys == nil {
			if keys, err = newest.open(passphrase); err != nil {
				return v, err
			}
		}
		file, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return v, err
		}
		item, data, err := keys.item(file)
		if err != nil {
			return v, fmt.Errorf("%s: %w", name, err)
		}
		if !strings.HasPrefix(name, item.Kind+".") {
			return v, fmt.Errorf("%s: it holds the %s item %q", name, item.Kind, item.Name)
		}
		if _, twice := v.Items[item]; twice {
			return v, fmt.Errorf("%s: the %s item %q is there twice", name, item.Kind, item.Name)
		}
		v.Items[item] = data
	}
	return v, nil
}

func parse(raw []byte) *header {
	if len(raw) != lengthV1 && len(raw) != lengthV1+8 || !bytes.HasPrefix(raw, []byte("groat\x00h")) {
		return nil
	}
	body := raw[:len(raw)-sha256.Size]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], raw[len(body):]) {
		return nil
	}
	h, rest := &header{raw: raw, id: body[8:24]}, body[24:]
	if raw[7] == 2 {
		h.generation, rest = binary.BigEndian.Uint64(rest), rest[8:]
	}
	h.cost, h.salt, h.wraps = rest[:10], rest[10:42], rest[42:]
	h.fixed = len(body) - len(h.wraps)
	return h
}

// keys open the items of one vault.
type keys struct {
	id          []byte
	vault, seed cipher.AEAD
}

// derived spares a judge of many states of one vault the derivation.
var derived sync.Map

func (h *header) derive(passphrase string) []byte {
	memo := string(h.cost) + string(h.salt) + passphrase
	if known, ok := derived.Load(memo); ok {
		return known.([]byte)
	}
	b := binary.BigEndian
	k := argon2.IDKey([]byte(passphrase), h.salt, b.Uint32(h.cost[5:]), b.Uint32(h.cost[1:]), h.cost[9], 64)
	derived.Store(memo, k)
	return k
}

func (h *header) open(passphrase string) (*keys, error) {
	if h.cost[0] != 1 {
		return nil, errors.New("header: not Argon2id")
	}
	k := h.derive(passphrase)
	unwrap := func(kek []byte, at, length int, purpose string) ([]byte, error) {
		sealed := h.wraps[at : at+length]
		bound := append([]byte("groat vault "+purpose+"\x00"), h.raw[:h.fixed+at]...)
		plain, err := aead(kek).Open(nil, sealed[:nonce], sealed[nonce:], bound)
		if err != nil {
			return nil, fmt.Errorf("header: the %s does not open", purpose)
		}
		return plain, nil
	}
	vault, err := unwrap(k[:32], 0, box, "wrap key")
	if err != nil {
		return nil, err
	}
	seed, err := unwrap(k[32:], box, box, "wrap seed key")
	if err != nil {
		return nil, err
	}
	if _, err := unwrap(vault, 2*box, len(h.wraps)-2*box, "seal"); err != nil {
		return nil, err
	}
	return &keys{h.id, aead(vault), aead(seed)}, nil
}

func (k *keys) item(file []byte) (Item, []byte, error) {
	bad := errors.New("it is no item")
	rest, ok := bytes.CutPrefix(file, []byte("groat\x00i\x01"))
	if !ok || len(rest) < 1 || len(rest) < 3+int(rest[0]) {
		return Item{}, nil, bad
	}
	kind, rest := string(rest[1:1+rest[0]]), rest[1+rest[0]:]
	length := int(binary.BigEndian.Uint16(rest))
	if rest = rest[2:]; len(rest) < length+nonce {
		return Item{}, nil, bad
	}
	item, rest := Item{kind, string(rest[:length])}, rest[length:]
	with := k.vault
	if kind == "seed" {
		with = k.seed
	}
	bound := append(append([]byte("groat item\x00"), k.id...), file[:len(file)-len(rest)]...)
	data, err := with.Open(nil, rest[:nonce], rest[nonce:], bound)
	if err != nil {
		return item, nil, fmt.Errorf("the %s item %q does not open", kind, item.Name)
	}
	return item, data, nil
}

func aead(key []byte) cipher.AEAD {
	a, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // a key of another length
	}
	return a
}

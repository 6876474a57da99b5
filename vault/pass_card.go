//go:build linux || darwin

package vault

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"

	"groat/vault/files"
)

// passCards, in the state directory, has what gpg opened of each card: the
// SHA-256 of the encrypted file, then the item. A card holds no secret, every
// call wants one beside what it is about, and gpg takes most of a call's time.
type passCards struct {
	store, dir string // folder of the encrypted items; "" for dir: none are kept
}

// sealed is the digest of a card's encrypted file; nil for other items, and
// where it cannot be read.
func (c passCards) sealed(name string) []byte {
	if c.dir == "" || !strings.HasPrefix(name, string(KindCard)+".") {
		return nil
	}
	data, err := files.Read(filepath.Join(c.store, name+".gpg"), 4*MaxItem, files.Any)
	if err != nil {
		return nil
	}
	digest := sha256.Sum256(data)
	return digest[:]
}

// load gives what gpg opened of exactly this encrypted file.
func (c passCards) load(name string, sealed []byte) (item []byte, ok bool) {
	if sealed == nil || (files.Disk{}).CheckFolder(c.dir) != nil {
		return nil, false
	}
	data, err := files.Read(filepath.Join(c.dir, name), 4*MaxItem, files.Private)
	if err != nil {
		return nil, false
	}
	return bytes.CutPrefix(data, sealed)
}

// save need not survive a loss of power: what that leaves has another digest.
func (c passCards) save(name string, sealed, item []byte) {
	disk := files.Disk{Volatile: true}
	if sealed == nil || disk.MakeFolder(c.dir) != nil {
		return
	}
	_ = disk.Write(filepath.Join(c.dir, name), append(sealed, item...))
}

func (c passCards) drop(name string) {
	if c.dir != "" {
		_ = os.Remove(filepath.Join(c.dir, name))
	}
}

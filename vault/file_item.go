package vault

import (
	"bytes"
)

// An item's file, numbers big-endian:
//
//	"groat\x00i\x01" | len(kind) 1 | kind | len(name) 2 | name | nonce 24 | XChaCha20-Poly1305 ciphertext
//
// The associated data is "groat item", the vault's id and everything before
// the nonce. The name stands in the clear (file names show it anyway), so
// that a vault can be listed without being opened; it is believed only after
// the seal was opened.
var itemMagic = []byte("groat\x00i\x01")

// maxItemFile bounds what is read of an item's file.
const maxItemFile = MaxItem + MaxName + 256

func (h *header) sealItem(key vaultKey, kind Kind, name string, data []byte) []byte {
	clearPart := appendLabel(bytes.Clone(itemMagic), kind, name)
	return append(clearPart, sealBox(&key, data, h.itemBound(clearPart))...)
}

// openItem gives the data of exactly this item, or ErrCorrupt.
func (h *header) openItem(key vaultKey, kind Kind, name string, file []byte) ([]byte, error) {
	clearPart := appendLabel(bytes.Clone(itemMagic), kind, name)
	if len(file) == 0 {
		return nil, because(ErrCorrupt, "its file is empty")
	}
	if !bytes.HasPrefix(file, clearPart) {
		if k, n, ok := itemLabel(file); ok && (k != kind || n != name) {
			return nil, because(ErrCorrupt, "its file holds the %s item %q", k, n)
		}
		return nil, notOurs(file, itemMagic, "its file")
	}
	data, err := openBox(&key, file[len(clearPart):], h.itemBound(clearPart))
	if err != nil {
		return nil, because(ErrCorrupt, "it is damaged or was changed: its seal does not open")
	}
	return data, nil
}

func (h *header) itemBound(clearPart []byte) []byte {
	b := append([]byte("groat item\x00"), h.id[:]...)
	return append(b, clearPart...)
}

// itemLabel reads what a file says it is, which nobody has proved.
func itemLabel(file []byte) (kind Kind, name string, ok bool) {
	if !bytes.HasPrefix(file, itemMagic) {
		return "", "", false
	}
	kind, name, _, ok = cutLabel(file[len(itemMagic):])
	return kind, name, ok
}

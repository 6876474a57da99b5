package vault

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

// What the first version put into the stores of desktops, whole and in chunks,
// is read; what a later one puts there is not taken for damage.
func TestStoredEnvelopesOpen(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	envelope := unhex(storedEnvelope)
	name, chunks := "card.default", map[string][]byte{"card.default": unhex(storedManifest)}
	chunks[name+"_x0102030405060708.0"], chunks[name+"_x0102030405060708.1"] = envelope[:40], envelope[40:]
	for what, store := range map[string]*limited{"whole": {items: map[string][]byte{name: envelope}, left: -1}, "chunks": {items: chunks, left: -1}} {
		value, err := getChunked(store, name)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if data, err := UnwrapEnvelope(KindCard, "default", value); err != nil || string(data) != `{"profile":"default"}` {
			t.Errorf("%s: %q, %v", what, data, err)
		}
		head := bytes.Clone(store.items[name])
		head[7]++
		store.items[name] = head
		value, err = getChunked(store, name)
		if err == nil {
			_, err = UnwrapEnvelope(KindCard, "default", value)
		}
		if !errors.Is(err, errNewer) {
			t.Errorf("%s, of a later version: %v", what, err)
		}
	}
}

const (
	storedEnvelope = "67726f61740065010463617264000764656661756c74000000157b2270726f66696c65223a2264656661756c74227de7d239f1fd39fe62872b4478a9158fd2bea05c784c7b7d7ba95345ae3752990e"
	storedManifest = "67726f6174006d010102030405060708000000020000004f07f704fddfa0589b8f7c9099d5366c93128ac9fa868c89eb9efe5c28bd4309a8"
)

//go:build linux

package vault

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"

	"groat/vault/files"
)

// hintDir, in the state directory, has one file per item that was found: its
// name is the item's encoded name, its content the item's object path.
const hintDir = "secret-service"

// maxHint bounds what is read of a hint, in bytes.
const maxHint = 512

// ssHints remembers where items were found, which spares a search for every
// read, and searches take longer the more items there are. A hint is a guess:
// it is believed only where the item itself proves it. It holds no
// secret, and one that is lost, damaged or wrong costs a search.
type ssHints struct{ dir string } // "": none are kept

// load gives the path of an item of this collection, "" where none is known.
func (h ssHints) load(name string, collection dbus.ObjectPath) dbus.ObjectPath {
	if h.dir == "" {
		return ""
	}
	data, err := files.Read(filepath.Join(h.dir, name), maxHint, files.Private)
	path := dbus.ObjectPath(data)
	if err != nil || !path.IsValid() || len(within(collection, []dbus.ObjectPath{path})) == 0 {
		return ""
	}
	return path
}

// save replaces a hint whole. It is not synced to the disk: what a loss of
// power leaves of it proves nothing.
func (h ssHints) save(name string, item dbus.ObjectPath) {
	disk := files.Disk{Volatile: true}
	if h.dir == "" || len(item) > maxHint || disk.MakeFolder(h.dir) != nil {
		return
	}
	_ = disk.Write(filepath.Join(h.dir, name), []byte(item))
}

func (h ssHints) drop(name string) {
	if h.dir != "" {
		_ = os.Remove(filepath.Join(h.dir, name))
	}
}

// guess reads an item where it was found before, without a search. ok is
// false where that proves nothing: the item went, another one lies there, it
// is locked. Then the search decides, and unlocks.
func (s *secretService) guess(ctx context.Context, b *bus, name string) (value []byte, ok bool, err error) {
	collection, _ := s.state()
	item := s.hints.load(name, collection)
	if item == "" {
		return nil, false, nil
	}
	secret, err := s.readSecret(ctx, b, item)
	if err != nil {
		if errors.Is(err, ErrNotFound) || answered(err) {
			return nil, false, nil
		}
		return nil, false, s.explain(err) // nobody would answer a search either
	}
	var stored keyringItem
	if json.Unmarshal(secret, &stored) != nil || !seals(stored.Data, name) {
		return nil, false, nil
	}
	s.sawUnlocked()
	return stored.Data, true, nil
}

// learn remembers where an item was found. sole tells that the search found
// no other. Only an item with all of our attributes gets a hint: that one is
// replaced in its place by whoever stores the name next, where one that others
// made would stay behind, and its hint would serve it for the new one.
func (s *secretService) learn(ctx context.Context, b *bus, name string, item dbus.ObjectPath, sole bool, value []byte) {
	collection, _ := s.state()
	switch {
	case s.hints.dir == "" || sole && s.hints.load(name, collection) == item:
	case sole && seals(value, name) && s.ours(ctx, b, item, name):
		s.hints.save(name, item)
	default:
		s.hints.drop(name)
	}
}

func (s *secretService) ours(ctx context.Context, b *bus, item dbus.ObjectPath, name string) bool {
	var attributes map[string]string
	if b.property(ctx, ssName, item, ssItem, "Attributes", &attributes) != nil {
		return false
	}
	for k, v := range ssAttributes(name) {
		if attributes[k] != v {
			return false
		}
	}
	return true
}

// seals reports whether a stored value is the envelope of this item.
func seals(value []byte, name string) bool {
	kind, inside, data, err := OpenEnvelope(value)
	clear(data)
	return err == nil && EncodeName(kind, inside) == name
}

// answered reports whether a failed call's error is the service's own answer,
// and not that there was none.
func answered(err error) bool {
	name := faultName(err)
	return name != "" && !strings.HasPrefix(name, "org.freedesktop.DBus.Error.Spawn") &&
		!busFault(err, "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
			"org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected",
			"org.freedesktop.DBus.Error.Timeout", "org.freedesktop.DBus.Error.TimedOut")
}

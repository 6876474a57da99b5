package vault_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

// fakeSecrets is a Secret Service of one collection, strict about types, with
// the faults that real ones have.
type fakeSecrets struct {
	mu sync.Mutex // held while it serves, and by do

	label    string          // of the collection
	path     dbus.ObjectPath // of the collection; "" = there is none
	alias    string          // that names the collection
	locked   bool
	prompt   string // what becomes of a dialog: "done", "dismissed", "ignored"
	hides    bool   // a locked collection's items are not found at all
	forgets  bool   // CreateItem does nothing
	moves    bool   // CreateItem puts a replaced item elsewhere
	adds     bool   // CreateItem replaces nothing
	lasting  bool   // sessions outlive the opening of another
	sessions int
	items    map[dbus.ObjectPath]*fakeItem
	next     int
	fault    func(*busCall) bool // answers instead, when it returns true
	promptOf map[dbus.ObjectPath]func() dbus.Variant
	asked    int // dialogs
	shut     int // dialogs that were dismissed by the client
}

type fakeItem struct {
	label      string
	attributes map[string]string
	secret     []byte
}

func newFakeSecrets() *fakeSecrets {
	return &fakeSecrets{label: "login", path: "/org/freedesktop/secrets/collection/login", items: map[dbus.ObjectPath]*fakeItem{},
		promptOf: map[dbus.ObjectPath]func() dbus.Variant{}}
}

// do changes or looks at the service between two calls.
func (s *fakeSecrets) do(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

const secretInterface = "org.freedesktop.Secret."

// serve answers one call at a time. Opening a session ends the one before, as
// if the service had been restarted.
func (s *fakeSecrets) serve(c *busCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.dest != "org.freedesktop.secrets" {
		nobody(c)
		return
	}
	if s.fault != nil && s.fault(c) {
		return
	}
	path := dbus.ObjectPath(c.path)
	switch c.method {
	case secretInterface + "Service.OpenSession":
		s.sessions++
		c.reply(dbus.MakeVariant(""), dbus.ObjectPath(fmt.Sprint("/org/freedesktop/secrets/session/s", s.sessions)))
	case secretInterface + "Service.SearchItems":
		s.search(c)
	case secretInterface + "Service.ReadAlias":
		if s.alias != "" && c.args[0] == s.alias {
			c.reply(s.path)
			return
		}
		c.reply(dbus.ObjectPath("/"))
	case secretInterface + "Service.Unlock":
		if !s.locked {
			c.reply(c.args[0].([]dbus.ObjectPath), dbus.ObjectPath("/"))
			return
		}
		c.reply([]dbus.ObjectPath{}, s.dialog(func() dbus.Variant {
			s.locked = false
			return dbus.MakeVariant(c.args[0].([]dbus.ObjectPath))
		}))
	case secretInterface + "Service.CreateCollection":
		c.reply(dbus.ObjectPath("/"), s.dialog(func() dbus.Variant {
			s.path, s.label = "/org/freedesktop/secrets/collection/made", c.args[0].(map[string]dbus.Variant)[secretInterface+"Collection.Label"].Value().(string)
			return dbus.MakeVariant(s.path)
		}))
	case secretInterface + "Prompt.Prompt":
		s.show(c, path)
	case secretInterface + "Prompt.Dismiss":
		s.shut++
	case secretInterface + "Collection.CreateItem":
		s.create(c, path)
	case secretInterface + "Item.GetSecret":
		s.read(c, path)
	case secretInterface + "Item.Delete":
		if s.items[path] == nil {
			noObject(c)
			return
		}
		delete(s.items, path)
		c.reply(dbus.ObjectPath("/"))
	case "org.freedesktop.DBus.Properties.Get":
		s.property(c, path)
	default:
		c.fail("org.freedesktop.DBus.Error.UnknownMethod", "no method "+c.method)
	}
}

func noObject(c *busCall) {
	c.fail("org.freedesktop.DBus.Error.UnknownMethod", "Object does not exist at path “"+c.path+"”")
}

func (s *fakeSecrets) search(c *busCall) {
	want := c.args[0].(map[string]string)
	found := []dbus.ObjectPath{}
	for path, item := range s.items {
		matches := true
		for k, v := range want {
			matches = matches && item.attributes[k] == v
		}
		if matches {
			found = append(found, path)
		}
	}
	none := []dbus.ObjectPath{}
	switch {
	case !s.locked:
		c.reply(found, none)
	case s.hides:
		c.reply(none, none)
	default:
		c.reply(none, found)
	}
}

func (s *fakeSecrets) create(c *busCall, path dbus.ObjectPath) {
	if path != s.path {
		noObject(c)
		return
	}
	if s.locked {
		c.fail(secretInterface+"Error.IsLocked", "locked")
		return
	}
	properties := c.args[0].(map[string]dbus.Variant)
	attributes := properties[secretInterface+"Item.Attributes"].Value().(map[string]string)
	secret := c.args[1].([]any) // (oayays)
	if !s.goodSession(secret[0].(dbus.ObjectPath)) {
		c.fail(secretInterface+"Error.NoSession", "no session")
		return
	}
	item := &fakeItem{label: properties[secretInterface+"Item.Label"].Value().(string), attributes: attributes, secret: secret[2].([]byte)}
	at := dbus.ObjectPath("")
	for p, old := range s.items {
		if c.args[2].(bool) && !s.adds && maps.Equal(old.attributes, attributes) {
			at = p
		}
	}
	if s.moves && at != "" {
		delete(s.items, at)
		at = ""
	}
	if at == "" {
		s.next++
		at = dbus.ObjectPath(fmt.Sprintf("%s/%d", s.path, s.next))
	}
	if !s.forgets {
		s.items[at] = item
	}
	c.reply(at, dbus.ObjectPath("/"))
}

func (s *fakeSecrets) read(c *busCall, path dbus.ObjectPath) {
	item := s.items[path]
	session := c.args[0].(dbus.ObjectPath)
	switch {
	case item == nil:
		noObject(c)
	case !s.goodSession(session):
		c.fail(secretInterface+"Error.NoSession", "no session")
	case s.locked:
		c.fail(secretInterface+"Error.IsLocked", "locked")
	default:
		c.reply(struct {
			Session     dbus.ObjectPath
			Parameters  []byte
			Value       []byte
			ContentType string
		}{session, []byte{}, item.secret, "application/json"})
	}
}

func (s *fakeSecrets) goodSession(path dbus.ObjectPath) bool {
	return s.lasting || path == dbus.ObjectPath(fmt.Sprint("/org/freedesktop/secrets/session/s", s.sessions))
}

func (s *fakeSecrets) property(c *busCall, path dbus.ObjectPath) {
	switch name := c.args[1]; {
	case path == s.path && s.path != "" && name == "Locked":
		c.reply(dbus.MakeVariant(s.locked))
	case path == s.path && s.path != "" && name == "Label":
		c.reply(dbus.MakeVariant(s.label))
	case path == "/org/freedesktop/secrets" && name == "Collections":
		all := []dbus.ObjectPath{}
		if s.path != "" {
			all = append(all, s.path)
		}
		c.reply(dbus.MakeVariant(all))
	case s.items[path] != nil && name == "Label":
		c.reply(dbus.MakeVariant(s.items[path].label))
	case s.items[path] != nil && name == "Attributes":
		c.reply(dbus.MakeVariant(s.items[path].attributes))
	default:
		noObject(c)
	}
}

// dialog makes a prompt object.
func (s *fakeSecrets) dialog(done func() dbus.Variant) dbus.ObjectPath {
	path := dbus.ObjectPath(fmt.Sprint("/org/freedesktop/secrets/prompt/p", len(s.promptOf)))
	s.promptOf[path] = done
	return path
}

func (s *fakeSecrets) show(c *busCall, path dbus.ObjectPath) {
	done := s.promptOf[path]
	if done == nil {
		noObject(c)
		return
	}
	s.asked++
	c.reply()
	switch s.prompt {
	case "done":
		c.signal(string(path), strings.TrimSuffix(secretInterface, ".")+".Prompt", "Completed", false, done())
	case "dismissed":
		c.signal(string(path), strings.TrimSuffix(secretInterface, ".")+".Prompt", "Completed", true, dbus.MakeVariant(""))
	}
}

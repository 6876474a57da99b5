package vault_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"groat/vault"
)

// hinted is a fake service with the item "p", which has a hint, and "q".
type hinted struct {
	t    *testing.T
	s    *fakeSecrets
	bus  *fakeBus
	cfg  vault.Config
	hint string // the file of p's
}

func newHinted(t *testing.T) *hinted {
	t.Helper()
	s := newFakeSecrets()
	bus := newFakeBus(t, s.serve)
	h := &hinted{t: t, s: s, bus: bus,
		cfg: vault.Config{Backend: "secret-service", Environ: bus.environ(false), StateDir: t.TempDir(), Timeout: 10 * time.Second}}
	h.hint = filepath.Join(h.cfg.StateDir, "secret-service", vault.EncodeName(vault.KindKey, "p"))
	v := mustOpen(t, h.cfg)
	defer v.Close()
	putItem(t, v, vault.KindKey, "p", "secret")
	putItem(t, v, vault.KindKey, "q", "other")
	return h
}

// get reads p as a new process would, and gives the number of its searches.
func (h *hinted) get() (data string, searches int, err error) {
	v := mustOpen(h.t, h.cfg)
	defer v.Close()
	h.bus.counted()
	got, err := v.Get(h.t.Context(), vault.KindKey, "p")
	for _, c := range h.bus.counted() {
		if strings.Contains(c, "SearchItems") {
			searches++
		}
	}
	return string(got), searches, err
}

func (h *hinted) path(label string) (at dbus.ObjectPath) {
	h.s.do(func() {
		for p, item := range h.s.items {
			if item.label == label {
				at = p
			}
		}
	})
	return at
}

func (h *hinted) write(content string) {
	h.t.Helper()
	if err := os.WriteFile(h.hint, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hinted) content() string {
	data, err := os.ReadFile(h.hint)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		h.t.Error(err)
	}
	return string(data)
}

// What was stored or read once is read again without a search, and without a
// write to the disk.
func TestHintSparesTheSearch(t *testing.T) {
	h := newHinted(t)
	again := func() {
		t.Helper()
		before, err := os.Stat(h.hint)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.Stat(filepath.Dir(h.hint))
		if err != nil {
			t.Fatal(err)
		}
		if before.Mode() != 0o600 || dir.Mode().Perm() != 0o700 {
			t.Errorf("modes %v and %v", before.Mode(), dir.Mode())
		}
		if data, searches, err := h.get(); data != "secret" || searches != 0 || err != nil {
			t.Errorf("%q, %v after %d searches", data, err, searches)
		}
		after, err := os.Stat(h.hint)
		if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
			t.Error("a hint that was right was written anew")
		}
		if strings.Contains(h.content(), "secret\"") || h.content() != string(h.path("key.p")) {
			t.Errorf("the hint says %q", h.content())
		}
	}
	again()
	if err := os.RemoveAll(filepath.Dir(h.hint)); err != nil {
		t.Fatal(err)
	}
	if data, searches, err := h.get(); data != "secret" || searches != 1 || err != nil {
		t.Errorf("without a hint: %q, %v after %d searches", data, err, searches)
	}
	again()
	// Put is proved by a search, whatever the hint says.
	v := mustOpen(t, h.cfg)
	h.bus.counted()
	putItem(t, v, vault.KindKey, "p", "secret")
	if calls := strings.Join(h.bus.counted(), " "); strings.Count(calls, "SearchItems") != 1 {
		t.Errorf("a put: %s", calls)
	}
	again()
	if err := v.Remove(t.Context(), vault.KindKey, "p"); err != nil {
		t.Fatal(err)
	}
	if h.content() != "" {
		t.Error("a removed item's hint is there")
	}
	if entries, err := os.ReadDir(filepath.Dir(h.hint)); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A hint that is wrong costs a search and is renewed. It makes no item appear,
// none disappear, and none another's.
func TestWrongHints(t *testing.T) {
	const login = "/org/freedesktop/secrets/collection/login"
	move := func(h *hinted, to dbus.ObjectPath) {
		at := h.path("key.p")
		h.s.do(func() { h.s.items[to] = h.s.items[at]; delete(h.s.items, at) })
	}
	fault := func(name string) func(*hinted) {
		return func(h *hinted) {
			stale := h.path("key.p")
			move(h, login+"/77")
			h.s.do(func() {
				h.s.fault = func(c *busCall) bool {
					if c.path != string(stale) {
						return false
					}
					c.fail(name, "no")
					return true
				}
			})
		}
	}
	for _, c := range []struct {
		name   string
		change func(*hinted)
	}{
		{"of another item", func(h *hinted) { h.write(string(h.path("key.q"))) }},
		{"vanished", func(h *hinted) { move(h, login+"/77") }},
		{"vanished, another item in its place", func(h *hinted) {
			at, q := h.path("key.p"), h.path("key.q")
			move(h, login+"/77")
			h.s.do(func() { h.s.items[at] = h.s.items[q]; delete(h.s.items, q) })
		}},
		{"NoSuchObject", fault("org.freedesktop.Secret.Error.NoSuchObject")},
		{"UnknownObject", fault("org.freedesktop.DBus.Error.UnknownObject")},
		{"UnknownMethod", fault("org.freedesktop.DBus.Error.UnknownMethod")},
		{"UnknownInterface", fault("org.freedesktop.DBus.Error.UnknownInterface")},
		{"denied", fault("org.freedesktop.DBus.Error.AccessDenied")},
		{"locked, and not the item", fault("org.freedesktop.Secret.Error.IsLocked")},
		{"foreign bytes in its place", func(h *hinted) {
			at := h.path("key.p")
			move(h, login+"/77")
			h.s.do(func() {
				h.s.items[at] = &fakeItem{label: "x", attributes: map[string]string{}, secret: []byte("\x00no JSON")}
			})
		}},
		{"a truncated envelope in its place", func(h *hinted) {
			at := h.path("key.p")
			move(h, login+"/77")
			h.s.do(func() {
				h.s.items[at] = &fakeItem{label: "x", attributes: map[string]string{}, secret: []byte(`{"Key":"key.p","Data":"Z3JvYXQAZQE="}`)}
			})
		}},
		{"none", func(h *hinted) { _ = os.Remove(h.hint) }},
		{"empty", func(h *hinted) { h.write("") }},
		{"no path", func(h *hinted) { h.write("key.p") }},
		{"malformed path", func(h *hinted) { h.write(login + "//1/") }},
		{"path that the bus would hang up on", func(h *hinted) { h.write(login + "/\x00\xff") }},
		{"with a line's end", func(h *hinted) { h.write(string(h.path("key.p")) + "\n") }},
		{"too long", func(h *hinted) { h.write(login + "/" + strings.Repeat("1", 4096)) }},
		{"in another collection", func(h *hinted) {
			at := h.path("key.p")
			h.s.do(func() {
				copied := *h.s.items[at]
				copied.label, copied.secret = "theirs", []byte("{}")
				h.s.items["/org/freedesktop/secrets/collection/other/1"] = &copied
			})
			h.write("/org/freedesktop/secrets/collection/other/1")
		}},
		{"the collection itself", func(h *hinted) { h.write(login) }},
		{"open to others", func(h *hinted) {
			if err := os.Chmod(h.hint, 0o644); err != nil {
				h.t.Fatal(err)
			}
			h.s.do(func() { h.s.items[login+"/77"] = h.s.items[login+"/1"]; delete(h.s.items, login+"/1") })
		}},
		{"a symbolic link", func(h *hinted) {
			other := filepath.Join(h.cfg.StateDir, "elsewhere")
			if err := errors.Join(os.Rename(h.hint, other), os.Symlink(other, h.hint)); err != nil {
				h.t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHinted(t)
			c.change(h)
			if data, searches, err := h.get(); data != "secret" || searches != 1 || err != nil {
				t.Errorf("%q, %v after %d searches", data, err, searches)
			}
			if want := string(h.path("key.p")); !strings.HasPrefix(want, login) || h.content() != want {
				t.Errorf("the hint says %q, the item is at %s", h.content(), want)
			}
			if data, searches, err := h.get(); data != "secret" || searches != 0 || err != nil {
				t.Errorf("again: %q, %v after %d searches", data, err, searches)
			}
		})
	}
	t.Run("of an item that is gone", func(t *testing.T) {
		h := newHinted(t)
		at := h.path("key.p")
		h.s.do(func() { delete(h.s.items, at) })
		for _, left := range []string{string(at), string(h.path("key.q")), "x"} {
			h.write(left)
			if data, _, err := h.get(); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("%q: %q, %v", left, data, err)
			}
			if h.content() != "" {
				t.Errorf("%q is still there", left)
			}
		}
	})
	t.Run("of an item that is damaged", func(t *testing.T) {
		h := newHinted(t)
		at := h.path("key.p")
		h.s.do(func() { h.s.items[at].secret = []byte("{}") })
		if data, _, err := h.get(); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("%q, %v", data, err)
		}
	})
	t.Run("at a service without sessions", func(t *testing.T) {
		h := newHinted(t)
		h.s.do(func() {
			h.s.fault = func(c *busCall) bool {
				if strings.HasSuffix(c.method, "OpenSession") {
					noObject(c)
					return true
				}
				return false
			}
		})
		if data, _, err := h.get(); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("%q, %v: an item that exists was taken for missing", data, err)
		}
	})
}

// A locked item with a hint is unlocked as one without, or is locked.
func TestHintOfALockedItem(t *testing.T) {
	for prompt, want := range map[string]error{"done": nil, "dismissed": vault.ErrLocked} {
		for _, hides := range []bool{false, true} {
			h := newHinted(t)
			h.s.do(func() { h.s.locked, h.s.hides, h.s.prompt = true, hides, prompt })
			data, _, err := h.get()
			if !errors.Is(err, want) || (want == nil && data != "secret") {
				t.Errorf("%s: %q, %v", prompt, data, err)
			}
			h.s.do(func() {
				if h.s.asked != 1 {
					t.Errorf("%s: %d dialogs", prompt, h.s.asked)
				}
				h.s.locked = false
			})
			if data, searches, err := h.get(); data != "secret" || searches != 0 || err != nil {
				t.Errorf("%s, then unlocked: %q, %v after %d searches", prompt, data, err, searches)
			}
		}
	}
}

// A service that says nothing is not asked twice: the time is bounded once.
func TestHintAtASilentService(t *testing.T) {
	h := newHinted(t)
	h.cfg.Timeout = soon
	h.s.do(func() { h.s.fault = func(c *busCall) bool { return strings.HasSuffix(c.method, "GetSecret") } })
	if data, searches, err := h.get(); !errors.Is(err, vault.ErrUnavailable) || searches != 0 {
		t.Errorf("%q, %v after %d searches", data, err, searches)
	}
	if h.content() != string(h.path("key.p")) {
		t.Error("the hint is gone")
	}
}

// Where no hint can be kept everything works, with a search for every read.
func TestHintsThatCannotBeKept(t *testing.T) {
	for name, change := range map[string]func(h *hinted) error{
		"a file in place of the state directory": func(h *hinted) error {
			h.cfg.StateDir = filepath.Join(h.hint, "state")
			return nil
		},
		"a file in place of the hints": func(h *hinted) error {
			return errors.Join(os.RemoveAll(filepath.Dir(h.hint)), os.WriteFile(filepath.Dir(h.hint), nil, 0o600))
		},
		"a directory that others can write to": func(h *hinted) error {
			return errors.Join(os.Remove(h.hint), os.Chmod(filepath.Dir(h.hint), 0o777))
		},
		"a directory in place of the hint": func(h *hinted) error {
			return errors.Join(os.Remove(h.hint), os.MkdirAll(filepath.Join(h.hint, "x"), 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHinted(t)
			if err := change(h); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if data, searches, err := h.get(); data != "secret" || searches != 1 || err != nil {
					t.Errorf("%q, %v after %d searches", data, err, searches)
				}
			}
			v := mustOpen(t, h.cfg)
			putItem(t, v, vault.KindKey, "p", "new")
			wantItem(t, v, vault.KindKey, "p", "new")
			if err := v.Remove(t.Context(), vault.KindKey, "p"); err != nil {
				t.Error(err)
			}
			if data, _, err := h.get(); !errors.Is(err, vault.ErrNotFound) {
				t.Errorf("%q, %v", data, err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(h.hint), ".tmp-*")); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// An item that another program made beside ours, or instead of it, gets no
// hint: the next Put would leave it where it is.
func TestNoHintForItemsOfOthers(t *testing.T) {
	const other = dbus.ObjectPath("/org/freedesktop/secrets/collection/login/99")
	foreign := func(h *hinted) {
		at := h.path("key.p")
		h.s.do(func() {
			copied := *h.s.items[at]
			copied.label, copied.attributes = "theirs", map[string]string{"profile": "key.p"}
			h.s.items[other] = &copied
		})
	}
	t.Run("instead", func(t *testing.T) {
		h := newHinted(t)
		foreign(h)
		at := h.path("key.p")
		h.s.do(func() { delete(h.s.items, at) })
		for range 2 {
			if data, searches, err := h.get(); data != "secret" || searches != 1 || err != nil || h.content() != "" {
				t.Errorf("%q, %v after %d searches; the hint says %q", data, err, searches, h.content())
			}
		}
	})
	t.Run("beside", func(t *testing.T) {
		h := newHinted(t)
		foreign(h)
		h.write(string(other[:len(other)-1])) // stale
		if data, _, err := h.get(); data != "secret" || err != nil || h.content() != "" {
			t.Errorf("%q, %v; the hint says %q", data, err, h.content())
		}
	})
	t.Run("of a service that replaces nothing", func(t *testing.T) {
		h := newHinted(t)
		h.s.do(func() { h.s.adds = true })
		// Which of the two the search gives first is the service's.
		if err := mustOpen(t, h.cfg).Put(t.Context(), vault.KindKey, "p", []byte("new")); err != nil && !errors.Is(err, vault.ErrUnavailable) {
			t.Error(err)
		}
		if h.content() != "" {
			t.Errorf("the hint says %q", h.content())
		}
	})
}

// A Put that was cut off after the service took the item leaves no hint of
// where an older one is.
func TestNoHintAfterHalfAPut(t *testing.T) {
	h := newHinted(t)
	h.s.do(func() {
		h.s.adds = true
		h.s.fault = func(c *busCall) bool {
			if strings.HasSuffix(c.method, "SearchItems") {
				c.fail("org.freedesktop.DBus.Error.Failed", "no")
				return true
			}
			return false
		}
	})
	if err := mustOpen(t, h.cfg).Put(t.Context(), vault.KindKey, "p", []byte("new")); !errors.Is(err, vault.ErrUnavailable) {
		t.Error(err)
	}
	if h.content() != "" {
		t.Errorf("the hint says %q", h.content())
	}
}

// While one process stores, others never read what is older than the last
// store that had ended, wherever the service puts the new item.
func TestHintsWhileAnotherReplaces(t *testing.T) {
	for _, moves := range []bool{false, true} {
		t.Run(map[bool]string{true: "elsewhere", false: "in place"}[moves], func(t *testing.T) {
			h := newHinted(t)
			h.s.do(func() { h.s.moves, h.s.lasting = moves, true })
			putItem(t, mustOpen(t, h.cfg), vault.KindKey, "p", "0")
			var stored atomic.Int64
			done := make(chan struct{})
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for reads := 0; ; reads++ {
						select {
						case <-done:
							if reads == 0 {
								t.Error("nothing was read")
							}
							return
						default:
						}
						v, err := vault.Open(h.cfg)
						if err != nil {
							t.Error(err)
							return
						}
						least := stored.Load()
						data, err := v.Get(t.Context(), vault.KindKey, "p")
						_ = v.Close()
						if moves && errors.Is(err, vault.ErrNotFound) {
							continue // it moved between being found and being read
						}
						if n, bad := strconv.ParseInt(string(data), 10, 64); err != nil || bad != nil || n < least {
							t.Errorf("read %q, %v after %d was stored", data, err, least)
						}
					}
				})
			}
			v := mustOpen(t, h.cfg)
			for n := range int64(60) {
				putItem(t, v, vault.KindKey, "p", strconv.FormatInt(n+1, 10))
				stored.Store(n + 1)
			}
			close(done)
			wg.Wait()
			if data, _, err := h.get(); data != "60" || err != nil {
				t.Errorf("in the end %q, %v", data, err)
			}
			if data, searches, err := h.get(); data != "60" || searches != 0 || err != nil {
				t.Errorf("again %q, %v after %d searches", data, err, searches)
			}
		})
	}
}

// Hashed names, and the kinds that name them, have hints too.
func TestHintsOfHashedNames(t *testing.T) {
	h := newHinted(t)
	long := strings.Repeat("long ", 100)
	putItem(t, mustOpen(t, h.cfg), vault.KindKey, long, "secret")
	h.bus.counted()
	v := mustOpen(t, h.cfg)
	wantItem(t, v, vault.KindKey, long, "secret")
	if calls := strings.Join(h.bus.counted(), " "); strings.Contains(calls, "SearchItems") {
		t.Errorf("calls %s", calls)
	}
	if names, err := v.Names(t.Context(), vault.KindKey); err != nil || len(names) != 3 || !strings.Contains(strings.Join(names, " "), long) {
		t.Errorf("%q, %v", names, err)
	}
	if calls := strings.Join(h.bus.counted(), " "); strings.Count(calls, "SearchItems") != 1 {
		t.Errorf("calls %s", calls)
	}
}

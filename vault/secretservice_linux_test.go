package vault_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"groat/vault"
	"groat/vault/accesskey"
	"groat/vault/vaulttest"
)

// soon is the bound of calls that never end.
const soon = 200 * time.Millisecond

func secretsOn(t *testing.T, s *fakeSecrets, display bool) (vault.Vault, *fakeBus) {
	t.Helper()
	bus := newFakeBus(t, s.serve)
	return mustOpen(t, vault.Config{Backend: "secret-service", Environ: bus.environ(display), StateDir: t.TempDir(), Timeout: 10 * time.Second}), bus
}

func TestContractFakeSecretService(t *testing.T) {
	var cfg vault.Config
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		bus := newFakeBus(t, newFakeSecrets().serve)
		cfg = vault.Config{Backend: "secret-service", Environ: bus.environ(false), StateDir: t.TempDir()}
		return mustOpen(t, cfg)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }})
}

// A locked collection is never taken for an empty one, whether or not it
// shows what it holds.
func TestSecretServiceLocked(t *testing.T) {
	for _, hides := range []bool{false, true} {
		for _, prompt := range []string{"dismissed", "ignored", "done"} {
			t.Run(prompt+map[bool]string{true: ", hidden", false: ""}[hides], func(t *testing.T) {
				s := newFakeSecrets()
				v, bus := secretsOn(t, s, false)
				putItem(t, v, vault.KindKey, "p", "secret")
				s.do(func() { s.locked, s.hides, s.prompt = true, hides, prompt })
				cfg := vault.Config{Backend: "secret-service", Environ: bus.environ(false), StateDir: t.TempDir(), Timeout: soon}
				if prompt != "ignored" {
					cfg.Timeout = 10 * time.Second
				}
				if prompt == "done" {
					wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
					s.do(func() {
						if s.asked != 1 {
							t.Errorf("%d dialogs", s.asked)
						}
					})
					return
				}
				everyOperation(t, mustOpen(t, cfg), vault.ErrLocked)
				cfg.Timeout = 10 * time.Second
				s.do(func() { s.locked = false })
				wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
			})
		}
	}
}

// Where questions are switched off no dialog is put up, display or not.
func TestSecretServiceNoInput(t *testing.T) {
	s := newFakeSecrets()
	v, bus := secretsOn(t, s, true)
	putItem(t, v, vault.KindKey, "p", "secret")
	cfg := vault.Config{Backend: "secret-service", NoInput: true, Environ: bus.environ(true), StateDir: t.TempDir(), Timeout: time.Hour}
	wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
	s.do(func() { s.locked, s.prompt = true, "ignored" })
	everyOperation(t, mustOpen(t, cfg), vault.ErrLocked)
	s.do(func() { s.path, s.locked = "", false })
	everyOperation(t, mustOpen(t, cfg), vault.ErrUnavailable, "put")
	s.do(func() {
		if s.asked > 0 {
			t.Errorf("%d dialogs", s.asked)
		}
	})
}

// A screen lock between two calls of one process hides nothing for long.
func TestSecretServiceLockedLater(t *testing.T) {
	s := newFakeSecrets()
	v, _ := secretsOn(t, s, false)
	putItem(t, v, vault.KindKey, "p", "secret")
	s.do(func() { s.locked, s.prompt = true, "done" })
	wantItem(t, v, vault.KindKey, "p", "secret")
	s.do(func() { s.locked, s.prompt = true, "dismissed" })
	everyOperation(t, v, vault.ErrLocked, "get", "put", "remove", "names")
}

func TestSecretServiceCollections(t *testing.T) {
	open := func(t *testing.T, s *fakeSecrets, collection string, display bool) vault.Vault {
		bus := newFakeBus(t, s.serve)
		timeout := 10 * time.Second
		if s.prompt == "ignored" {
			timeout = soon
		}
		return mustOpen(t, vault.Config{Backend: "secret-service", SecretServiceCollection: collection, Environ: bus.environ(display), StateDir: t.TempDir(), Timeout: timeout})
	}
	t.Run("by label", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() { s.path, s.label = "/org/freedesktop/secrets/collection/c17", "My Keys" })
		v := open(t, s, "My Keys", false)
		putItem(t, v, vault.KindKey, "p", "secret")
		wantItem(t, v, vault.KindKey, "p", "secret")
		wantItem(t, open(t, s, "My Keys", false), vault.KindKey, "p", "secret")
	})
	t.Run("by alias", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() { s.path, s.alias = "/org/freedesktop/secrets/collection/c17", "default" })
		v := open(t, s, "default", false)
		putItem(t, v, vault.KindKey, "p", "secret")
		wantItem(t, open(t, s, "default", false), vault.KindKey, "p", "secret")
	})
	t.Run("odd path", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() { s.path = "/org/freedesktop/secrets/collection/Caf_c3_a9_20_2f" })
		v := open(t, s, "Café /", false)
		putItem(t, v, vault.KindKey, "p", "secret")
		wantItem(t, v, vault.KindKey, "p", "secret")
	})
	t.Run("items of others", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() {
			s.items["/org/freedesktop/secrets/collection/other/1"] = &fakeItem{label: "key.p", attributes: map[string]string{"profile": "key.p", "groat": "key"}, secret: []byte("{}")}
		})
		v := open(t, s, "", false)
		everyOperation(t, v, vault.ErrNotFound, "get", "remove")
		if names, err := v.Names(t.Context(), vault.KindKey); err != nil || len(names) != 0 {
			t.Errorf("names %q, %v", names, err)
		}
	})
	t.Run("no login, but a default", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() {
			s.path, s.label, s.alias = "/org/freedesktop/secrets/collection/passwords", "Passwords", "default"
		})
		putItem(t, open(t, s, "", false), vault.KindKey, "p", "secret")
		wantItem(t, open(t, s, "", false), vault.KindKey, "p", "secret")
		everyOperation(t, open(t, s, "login", false), vault.ErrUnavailable)
	})
	t.Run("none, no display", func(t *testing.T) {
		s := newFakeSecrets()
		v := open(t, s, "nowhere", false)
		everyOperation(t, v, vault.ErrUnavailable)
		err := v.Put(t.Context(), vault.KindKey, "p", []byte("x"))
		var e *vault.Error
		if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), `"nowhere"`) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "there are: login") {
			t.Errorf("Put: %v", err)
		}
	})
	t.Run("none, made in a dialog", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() { s.path, s.prompt = "", "done" })
		v := open(t, s, "", true)
		putItem(t, v, vault.KindKey, "p", "secret")
		wantItem(t, v, vault.KindKey, "p", "secret")
	})
	t.Run("none, dialog unanswered", func(t *testing.T) {
		s := newFakeSecrets()
		s.do(func() { s.path, s.prompt = "", "ignored" })
		everyOperation(t, open(t, s, "", true), vault.ErrUnavailable, "put")
		s.do(func() {
			if s.asked != 1 || s.shut > 1 {
				t.Errorf("%d dialogs, %d closed", s.asked, s.shut)
			}
		})
	})
	for _, name := range []string{"a\x00b", "\xff"} {
		if _, err := vault.Open(vault.Config{Backend: "secret-service", SecretServiceCollection: name, StateDir: t.TempDir()}); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("collection %q: %v", name, err)
		}
	}
}

// A bus that accepts and says nothing, or dies, or has nobody on it, is an
// error in time and in words.
func TestBusFaults(t *testing.T) {
	silent := func(*busCall) {}
	var dying *fakeBus
	for _, backend := range []string{"secret-service", "kwallet"} {
		for _, c := range []struct {
			name  string
			serve func(*busCall)
			says  string
		}{
			{"silent service", silent, "in time"},
			{"nobody there", nobody, "runs on the session bus"},
			{"dies mid-call", func(*busCall) { dying.hangUp() }, "hung up"},
			{"service dies mid-call", func(c *busCall) {
				c.fail("org.freedesktop.DBus.Error.NoReply", "Message recipient disconnected from message bus without replying")
			}, "ended before"},
			{"answers of another shape", func(c *busCall) { c.reply(int32(7), "x", []string{"y"}) }, "unexpected answer"},
			{"empty answers", func(c *busCall) { c.reply() }, "unexpected answer"},
			{"denied", func(c *busCall) { c.fail("org.freedesktop.DBus.Error.AccessDenied", "rejected by policy") }, "AccessDenied"},
		} {
			t.Run(backend+"/"+c.name, func(t *testing.T) {
				bus := newFakeBus(t, c.serve)
				dying = bus
				v := mustOpen(t, vault.Config{Backend: backend, Environ: bus.environ(false), StateDir: t.TempDir(), Timeout: soon})
				everyOperation(t, v, vault.ErrUnavailable)
				if _, err := v.Get(t.Context(), vault.KindKey, "p"); !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v does not say %q", err, c.says)
				}
			})
		}
	}
}

// mute is a bus address behind which a socket accepts and says nothing.
func mute(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait(); os.RemoveAll(dir) })
	return "unix:path=" + filepath.Join(dir, "bus")
}

func TestBusAddresses(t *testing.T) {
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	notASocket := t.TempDir()
	if err := os.WriteFile(filepath.Join(notASocket, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string][]string{
		"mute":                  {"DBUS_SESSION_BUS_ADDRESS=" + mute(t)},
		"nobody listens":        {"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(empty, "none")},
		"not a socket":          {"DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(empty, "file")},
		"withheld":              {"DBUS_SESSION_BUS_ADDRESS=disabled:"},
		"malformed":             {"DBUS_SESSION_BUS_ADDRESS=;,=%"},
		"autolaunch":            {"DBUS_SESSION_BUS_ADDRESS=autolaunch:", "XDG_RUNTIME_DIR=" + empty},
		"autolaunch with scope": {"DBUS_SESSION_BUS_ADDRESS=autolaunch:scope=*user", "XDG_RUNTIME_DIR=" + empty},
		"no address":            {"XDG_RUNTIME_DIR=" + empty},
		"a file in its place":   {"XDG_RUNTIME_DIR=" + notASocket},
	} {
		t.Run(name, func(t *testing.T) {
			v := mustOpen(t, vault.Config{Backend: "secret-service", Environ: env, StateDir: t.TempDir(), Timeout: soon})
			_, err := v.Get(t.Context(), vault.KindKey, "p")
			if !errors.Is(err, vault.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("in the runtime directory", func(t *testing.T) {
		bus := newFakeBus(t, newFakeSecrets().serve)
		dir := filepath.Dir(strings.TrimPrefix(bus.address, "unix:path="))
		v := mustOpen(t, vault.Config{Backend: "secret-service", Environ: []string{"XDG_RUNTIME_DIR=" + dir}, StateDir: t.TempDir()})
		everyOperation(t, v, vault.ErrNotFound, "get")
	})
}

func TestInterruptedDialog(t *testing.T) {
	s := newFakeSecrets()
	v, _ := secretsOn(t, s, false)
	putItem(t, v, vault.KindKey, "p", "secret")
	ctx, cancel := context.WithCancel(t.Context())
	s.do(func() { s.locked, s.prompt = true, "ignored" })
	s.do(func() {
		s.fault = func(c *busCall) bool {
			if strings.HasSuffix(c.method, "Prompt.Prompt") {
				time.AfterFunc(0, cancel) // Ctrl-C while the dialog is open
			}
			return false
		}
	})
	if _, err := v.Get(ctx, vault.KindKey, "p"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A service that forgets what it took, or gives back something else, is not
// believed.
func TestSecretServiceLies(t *testing.T) {
	s := newFakeSecrets()
	v, _ := secretsOn(t, s, false)
	s.do(func() { s.forgets = true })
	everyOperation(t, v, vault.ErrUnavailable, "put")
	s.do(func() { s.forgets = false })
	putItem(t, v, vault.KindKey, "p", "secret")
	putItem(t, v, vault.KindKey, "q", "TheSecret")
	byLabel := map[string]*fakeItem{}
	s.do(func() {
		for _, item := range s.items {
			byLabel[item.label] = item
		}
	})
	genuine := byLabel["key.p"].secret
	for name, secret := range map[string][]byte{
		"empty": {}, "null": []byte("null"), "no JSON": []byte("{"), "empty object": []byte("{}"), "another's": byLabel["key.q"].secret,
		"truncated": genuine[:len(genuine)/2], "a number": []byte("7"), "binary": {0, 0xff},
	} {
		s.do(func() { byLabel["key.p"].secret = secret })
		if got, err := v.Get(t.Context(), vault.KindKey, "p"); !errors.Is(err, vault.ErrCorrupt) {
			t.Errorf("%s: %q, %v", name, got, err)
		} else if strings.Contains(err.Error(), "TheSecret") {
			t.Errorf("%s: the error tells a secret: %v", name, err)
		}
	}
	wantItem(t, v, vault.KindKey, "q", "TheSecret") // the others stay readable
}

// An item that goes between being found and being read is missing.
func TestSecretServiceRaces(t *testing.T) {
	s := newFakeSecrets()
	v, _ := secretsOn(t, s, false)
	putItem(t, v, vault.KindKey, "p", "secret")
	s.do(func() {
		s.fault = func(c *busCall) bool {
			if strings.HasSuffix(c.method, "Item.GetSecret") {
				clear(s.items)
			}
			return false
		}
	})
	everyOperation(t, v, vault.ErrNotFound, "get")
	// The service is restarted: the bus stays, our session is gone.
	s.do(func() { s.fault = nil })
	putItem(t, v, vault.KindKey, "p", "secret")
	s.do(func() { s.sessions += 10 })
	wantItem(t, v, vault.KindKey, "p", "secret")
	// The bus is restarted: the connection is gone.
	s.do(func() { s.sessions++ })
	putItem(t, v, vault.KindKey, "q", "secret")
}

func TestAutoChoosesByProbe(t *testing.T) {
	choose := func(t *testing.T, s *fakeSecrets, display bool) (string, string) {
		t.Helper()
		warned := ""
		bus := newFakeBus(t, s.serve)
		timeout := 10 * time.Second
		if s.fault != nil {
			timeout = soon
		}
		v := mustOpen(t, vault.Config{Environ: append(bus.environ(display), "HOME="+t.TempDir()), FileDir: filepath.Join(t.TempDir(), "v"), StateDir: t.TempDir(), Timeout: timeout, Warn: func(m string) { t.Error("warned of its own accord:", m) }, PassedOver: func(m string) { warned += m }})
		defer v.Close()
		s.do(func() {
			if s.asked > 0 {
				t.Error("a probe put up a dialog")
			}
		})
		return v.Backend(), warned
	}
	for _, c := range []struct {
		name    string
		display bool
		change  func(*fakeSecrets)
		want    string
		warning string // why the store is passed over; none where there is none
	}{
		{"unlocked", false, func(*fakeSecrets) {}, "secret-service", ""},
		{"locked, with a display", true, func(s *fakeSecrets) { s.locked = true }, "secret-service", ""},
		{"locked, without", false, func(s *fakeSecrets) { s.locked = true }, "file", "is locked"},
		{"no collection, with a display", true, func(s *fakeSecrets) { s.path = "" }, "secret-service", ""},
		{"no collection, without", false, func(s *fakeSecrets) { s.path = "" }, "file", "no collection"},
		{"silent", true, func(s *fakeSecrets) { s.fault = func(*busCall) bool { return true } }, "file", "did not answer"},
		{"nobody", true, func(s *fakeSecrets) { s.fault = func(c *busCall) bool { nobody(c); return true } }, "file", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFakeSecrets()
			c.change(s)
			got, warning := choose(t, s, c.display)
			if got != c.want || !strings.Contains(warning, c.warning) || c.warning == "" && warning != "" {
				t.Errorf("chose %q (%q), want %q (%q)", got, warning, c.want, c.warning)
			}
		})
	}
	t.Run("mute bus", func(t *testing.T) {
		v := mustOpen(t, vault.Config{Environ: []string{"DBUS_SESSION_BUS_ADDRESS=" + mute(t), "HOME=" + t.TempDir()}, FileDir: t.TempDir(), StateDir: t.TempDir(), Timeout: soon})
		if v.Backend() != "file" {
			t.Errorf("chose %q", v.Backend())
		}
	})
}

// registryOf is a registry of one open vault.
func registryOf(v vault.Vault, cfg vault.Config) *vault.Registry {
	r := &vault.Registry{Backend: v.Backend(), StateDir: cfg.StateDir}
	r.Use(v.Backend(), v)
	return r
}

// The warm path of a role over a key of another profile: the role's profile
// holds no key, which takes a search, and the other's card and the session are
// read where they were put. The keyring library
// needs 8 calls for one item.
func TestSecretServiceCalls(t *testing.T) {
	s := newFakeSecrets()
	bus := newFakeBus(t, s.serve)
	cfg := vault.Config{Backend: "secret-service", Environ: bus.environ(false), StateDir: t.TempDir()}
	v := mustOpen(t, cfg)
	if _, err := vault.PutKey(t.Context(), v, "default", accesskey.Key{ID: "AKID", Secret: "secret"}, vault.Card{}); err != nil {
		t.Fatal(err)
	}
	if err := registryOf(v, cfg).Note("default", "secret-service"); err != nil {
		t.Fatal(err)
	}
	putItem(t, v, vault.KindSession, strings.Repeat("0123456789abcdef", 4), "session")
	bus.counted()
	v = mustOpen(t, cfg)
	if _, err := registryOf(v, cfg).Find(t.Context(), "admin"); !errors.Is(err, vault.ErrNotFound) {
		t.Fatal(err)
	}
	if _, err := registryOf(v, cfg).Find(t.Context(), "default"); err != nil {
		t.Fatal(err)
	}
	wantItem(t, v, vault.KindSession, strings.Repeat("0123456789abcdef", 4), "session")
	calls := bus.counted()
	t.Logf("%d calls: %q", len(calls), calls)
	if len(calls) > 6 {
		t.Errorf("%d calls, more than 6", len(calls))
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	// What was found missing is not believed a second time.
	v = mustOpen(t, cfg)
	everyCard := func(want error) {
		t.Helper()
		if _, err := registryOf(v, cfg).Find(t.Context(), "late"); !errors.Is(err, want) {
			t.Errorf("Find: %v, want %v", err, want)
		}
	}
	everyCard(vault.ErrNotFound)
	if _, err := vault.PutKey(t.Context(), v, "late", accesskey.Key{ID: "AKID", Secret: "secret"}, vault.Card{}); err != nil {
		t.Fatal(err)
	}
	everyCard(nil)
}

// The calls that a role's profile needs are sent together: a service that
// answers none of them before it has them all is not waited for in vain.
func TestSecretServiceCallsAhead(t *testing.T) {
	s := newFakeSecrets()
	bus := newFakeBus(t, s.serve)
	cfg := vault.Config{Backend: "secret-service", Environ: bus.environ(false), StateDir: t.TempDir(), Timeout: 5 * time.Second}
	putItem(t, mustOpen(t, cfg), vault.KindSession, "s", "data")
	var held []*busCall
	s.do(func() {
		s.fault = func(c *busCall) bool {
			if held = append(held, c); len(held) < 3 {
				return true
			}
			s.fault = nil
			for _, c := range held[:2] { // in their order, and then this one
				if c.method == secretInterface+"Service.SearchItems" {
					s.search(c)
				} else {
					s.property(c, dbus.ObjectPath(c.path))
				}
			}
			return false
		}
	})
	v := mustOpen(t, cfg)
	if _, err := registryOf(v, cfg).Find(t.Context(), "admin"); !errors.Is(err, vault.ErrNotFound) {
		t.Fatal(err)
	}
	wantItem(t, v, vault.KindSession, "s", "data")
	var methods []string
	s.do(func() {
		for _, c := range held {
			methods = append(methods, c.method)
		}
	})
	// A lock that comes after the search must be seen.
	want := []string{secretInterface + "Service.SearchItems", "org.freedesktop.DBus.Properties.Get", secretInterface + "Service.OpenSession"}
	if !slices.Equal(methods, want) {
		t.Errorf("sent ahead: %q, want %q", methods, want)
	}
}

// The answer on the lock that was sent for ahead serves that one search: what
// is locked later is not taken for missing.
func TestSecretServiceLockedAfterCallsAhead(t *testing.T) {
	s := newFakeSecrets()
	v, _ := secretsOn(t, s, false)
	putItem(t, v, vault.KindCard, "admin", "card")
	if _, err := v.Get(t.Context(), vault.KindCard, "admin"); err != nil {
		t.Fatal(err)
	}
	v, _ = secretsOn(t, s, false)
	if _, err := v.Get(t.Context(), vault.KindCard, "admin"); err != nil { // found: nobody asks whether a lock hides it
		t.Fatal(err)
	}
	s.do(func() { s.locked, s.hides = true, true })
	vault.ForgetUnlocked(v)
	if _, err := v.Get(t.Context(), vault.KindSession, "s"); !errors.Is(err, vault.ErrLocked) {
		t.Errorf("Get of what a lock may hide: %v, want ErrLocked", err)
	}
}

// Where no lock can be had an item is stored all the same, with a warning.
func TestPutWithoutLocks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bus := newFakeBus(t, newFakeSecrets().serve)
	var warned []string
	v := mustOpen(t, vault.Config{Backend: "secret-service", Environ: bus.environ(false), StateDir: filepath.Join(file, "state"),
		Warn: func(m string) { warned = append(warned, m) }})
	putItem(t, v, vault.KindSession, "s", "data")
	wantItem(t, v, vault.KindSession, "s", "data")
	if len(warned) == 0 {
		t.Error("nobody was warned")
	}
}

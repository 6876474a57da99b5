package vault_test

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"groat/vault"
	"groat/vault/vaulttest"
)

// fakeKWallet is a KWallet daemon of one wallet, with the answers that the
// real one gives: numbers where others give errors, nothing where nothing is.
type fakeKWallet struct {
	mu sync.Mutex // held while it serves, and by do

	daemon   string // "kwalletd5" or "kwalletd6"
	disabled bool
	open     bool
	dialog   string // what becomes of opening a closed wallet: "done", "refused", "ignored"
	refuses  bool   // writes and removals give -1
	forgets  bool   // writes give 0 and do nothing
	handle   int32
	entries  map[string]map[string][]byte
	asked    int
	synced   int
}

func newFakeKWallet(daemon string) *fakeKWallet {
	return &fakeKWallet{daemon: daemon, open: true, handle: 7, entries: map[string]map[string][]byte{}}
}

// do changes or looks at the daemon between two calls.
func (k *fakeKWallet) do(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

func (k *fakeKWallet) serve(c *busCall) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.method == "org.freedesktop.DBus.NameHasOwner" {
		c.reply(c.args[0] == "org.kde."+k.daemon)
		return
	}
	if c.dest != "org.kde."+k.daemon || c.path != "/modules/"+k.daemon {
		nobody(c)
		return
	}
	text := func(i int) string { return c.args[i].(string) }
	status := func(do func()) {
		if k.refuses || !k.open || c.args[0] != k.handle {
			c.reply(int32(-1))
			return
		}
		if !k.forgets {
			do()
		}
		c.reply(int32(0))
	}
	good := k.open && len(c.args) > 0 && c.args[0] == k.handle
	switch strings.TrimPrefix(c.method, "org.kde.KWallet.") {
	case "networkWallet":
		c.reply("kdewallet")
	case "isEnabled":
		c.reply(!k.disabled)
	case "isOpen":
		if c.args[0] == "kdewallet" {
			c.reply(k.open)
			return
		}
		c.reply(good)
	case "open":
		k.opened(c)
	case "keyDoesNotExist":
		_, has := k.entries[text(1)][text(2)]
		c.reply(!has)
	case "hasFolder":
		c.reply(good && k.entries[text(1)] != nil)
	case "folderDoesNotExist":
		c.reply(k.entries[text(1)] == nil)
	case "readEntry":
		data := []byte{}
		if good {
			data = append(data, k.entries[text(1)][text(2)]...)
		}
		c.reply(data)
	case "hasEntry":
		_, has := k.entries[text(1)][text(2)]
		c.reply(good && has)
	case "writeEntry":
		status(func() {
			if k.entries[text(1)] == nil {
				k.entries[text(1)] = map[string][]byte{}
			}
			k.entries[text(1)][text(2)] = c.args[3].([]byte)
		})
	case "removeEntry":
		status(func() { delete(k.entries[text(1)], text(2)) })
	case "entryList":
		names := []string{}
		if good {
			names = slices.Collect(maps.Keys(k.entries[text(1)]))
		}
		if names == nil {
			names = []string{}
		}
		c.reply(names)
	case "sync":
		k.synced++
	default:
		c.fail("org.freedesktop.DBus.Error.UnknownMethod", "no method "+c.method)
	}
}

func (k *fakeKWallet) opened(c *busCall) {
	switch {
	case k.disabled:
		c.reply(int32(-1))
		return
	case k.open:
		c.reply(k.handle)
		return
	}
	k.asked++
	switch k.dialog {
	case "done":
		k.open = true
		k.handle++
		c.reply(k.handle)
	case "refused":
		c.reply(int32(-1))
	}
}

func walletOn(t *testing.T, k *fakeKWallet) vault.Vault {
	t.Helper()
	bus := newFakeBus(t, k.serve)
	timeout := 10 * time.Second
	if k.dialog == "ignored" {
		timeout = soon
	}
	return mustOpen(t, vault.Config{Backend: "kwallet", Environ: bus.environ(false), StateDir: t.TempDir(), Timeout: timeout})
}

func TestContractFakeKWallet(t *testing.T) {
	for _, daemon := range []string{"kwalletd5", "kwalletd6"} {
		t.Run(daemon, func(t *testing.T) {
			var cfg vault.Config
			vaulttest.Run(t, func(t *testing.T) vault.Vault {
				bus := newFakeBus(t, newFakeKWallet(daemon).serve)
				cfg = vault.Config{Backend: "kwallet", Environ: bus.environ(false), StateDir: t.TempDir()}
				return mustOpen(t, cfg)
			}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return mustOpen(t, cfg) }, MaxData: 100_000})
		})
	}
}

// A folder that somebody named and that is not there is an error in the words
// of the vault, open or closed; the default one is made.
func TestKWalletNamedFolder(t *testing.T) {
	k := newFakeKWallet("kwalletd6")
	bus := newFakeBus(t, k.serve)
	cfg := vault.Config{Backend: "kwallet", KWalletFolder: "mine", Environ: bus.environ(false), StateDir: t.TempDir(), Timeout: 10 * time.Second}
	everyOperation(t, mustOpen(t, cfg), vault.ErrUnavailable)
	k.do(func() { k.open = false })
	everyOperation(t, mustOpen(t, cfg), vault.ErrUnavailable, "get", "remove", "names")
	k.do(func() { k.open, k.entries["mine"] = true, map[string][]byte{} })
	everyOperation(t, mustOpen(t, cfg), vault.ErrNotFound, "get", "remove")
	putItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
	wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
}

// "auto" wakes no KWallet where the desktop is another one.
func TestAutoStartsNoKWallet(t *testing.T) {
	for desktop, want := range map[string]bool{"": false, "GNOME": false, "ubuntu:GNOME": false, "KDE": true, "X:KDE": true} {
		var woken atomic.Bool
		bus := newFakeBus(t, func(c *busCall) {
			if c.method == "org.freedesktop.DBus.NameHasOwner" {
				c.reply(false)
				return
			}
			if strings.HasPrefix(c.dest, "org.kde.") {
				woken.Store(true)
			}
			nobody(c)
		})
		v := mustOpen(t, vault.Config{Environ: append(bus.environ(true), "HOME="+t.TempDir(), "XDG_CURRENT_DESKTOP="+desktop),
			FileDir: filepath.Join(t.TempDir(), "v"), StateDir: t.TempDir(), Timeout: 10 * time.Second})
		if v.Backend() != "file" || woken.Load() != want {
			t.Errorf("in %q: chose %s, started KWallet: %v, want %v", desktop, v.Backend(), woken.Load(), want)
		}
	}
}

func TestKWalletNoInput(t *testing.T) {
	k := newFakeKWallet("kwalletd6")
	bus := newFakeBus(t, k.serve)
	cfg := vault.Config{Backend: "kwallet", NoInput: true, Environ: bus.environ(true), StateDir: t.TempDir(), Timeout: time.Hour}
	putItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
	wantItem(t, mustOpen(t, cfg), vault.KindKey, "p", "secret")
	k.do(func() { k.open, k.dialog = false, "ignored" })
	everyOperation(t, mustOpen(t, cfg), vault.ErrLocked, "get", "put", "remove", "names")
	k.do(func() {
		if k.asked > 0 {
			t.Errorf("%d dialogs", k.asked)
		}
	})
}

func TestKWalletDialogs(t *testing.T) {
	for _, c := range []struct {
		dialog string
		want   error
	}{{"refused", vault.ErrLocked}, {"ignored", vault.ErrLocked}} {
		t.Run(c.dialog, func(t *testing.T) {
			k := newFakeKWallet("kwalletd5")
			putItem(t, walletOn(t, k), vault.KindKey, "p", "secret")
			k.do(func() { k.open, k.dialog = false, c.dialog })
			everyOperation(t, walletOn(t, k), c.want, "get", "put", "remove", "names")
			k.do(func() {
				if k.asked == 0 {
					t.Error("nobody was asked")
				}
			})
			k.do(func() { k.asked = 0 })
			// The index of a closed wallet tells what is not in it.
			everyOperation(t, walletOn(t, k), vault.ErrNotFound, "missing")
			k.do(func() {
				if k.asked != 0 {
					t.Error("somebody was asked for an item that is not there")
				}
			})
		})
	}
	t.Run("done", func(t *testing.T) {
		k := newFakeKWallet("kwalletd5")
		putItem(t, walletOn(t, k), vault.KindKey, "p", "secret")
		k.do(func() { k.open, k.dialog = false, "done" })
		v := walletOn(t, k)
		wantItem(t, v, vault.KindKey, "p", "secret")
		// Closed by its owner, or when idle, while we hold a handle: the daemon
		// answers as if the wallet were empty.
		for _, op := range []string{"get", "names", "remove"} {
			putItem(t, v, vault.KindKey, "p", "secret")
			k.do(func() { k.open = false })
			everyOperation(t, v, nil, op)
		}
		putItem(t, v, vault.KindKey, "p", "secret")
		k.do(func() { k.open, k.dialog = false, "refused" })
		everyOperation(t, v, vault.ErrLocked, "get", "put", "remove", "names")
	})
	t.Run("switched off", func(t *testing.T) {
		k := newFakeKWallet("kwalletd6")
		k.do(func() { k.disabled = true })
		everyOperation(t, walletOn(t, k), vault.ErrUnavailable)
	})
}

// What the daemon says it has written is read back.
func TestKWalletLies(t *testing.T) {
	k := newFakeKWallet("kwalletd5")
	v := walletOn(t, k)
	putItem(t, v, vault.KindKey, "p", "old")
	k.do(func() {
		if k.synced == 0 {
			t.Error("the wallet was not written to the disk")
		}
	})
	k.do(func() { k.forgets = true })
	everyOperation(t, v, vault.ErrUnavailable, "put")
	k.do(func() { k.forgets, k.refuses = false, true })
	everyOperation(t, v, vault.ErrUnavailable, "put", "remove")
	k.do(func() { k.refuses = false })
	wantItem(t, v, vault.KindKey, "p", "old")
	k.do(func() { k.entries["groat"]["key.p"] = []byte(`{"Key":"key.p","Data":"AAAA"}`) })
	if _, err := v.Get(t.Context(), vault.KindKey, "p"); !errors.Is(err, vault.ErrCorrupt) {
		t.Errorf("foreign item: %v", err)
	}
}

func TestKWalletFolder(t *testing.T) {
	k := newFakeKWallet("kwalletd5")
	k.entries["Ordner ü"] = map[string][]byte{}
	bus := newFakeBus(t, k.serve)
	v := mustOpen(t, vault.Config{Backend: "kwallet", KWalletFolder: "Ordner ü", Environ: bus.environ(false), StateDir: t.TempDir()})
	putItem(t, v, vault.KindKey, "p", "secret")
	k.do(func() {
		if k.entries["Ordner ü"]["key.p"] == nil {
			t.Errorf("entries %v", k.entries)
		}
	})
	for _, name := range []string{"a\x00b", "\xff"} {
		if _, err := vault.Open(vault.Config{Backend: "kwallet", KWalletFolder: name, StateDir: t.TempDir()}); !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("folder %q: %v", name, err)
		}
	}
}

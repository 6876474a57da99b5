package vault

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/vault/accesskey"
)

// putBack writes old copies of files of the vault over the new ones.
func putBack(t *testing.T, dir string, old map[string][]byte, names ...string) {
	t.Helper()
	for _, name := range names {
		mustWrite(t, filepath.Join(dir, name), old[name])
	}
}

func copies(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			all[e.Name()] = mustRead(t, filepath.Join(dir, e.Name()))
		}
	}
	return all
}

// An old copy of the header that is put back after the passphrase changed is
// not used, and is never copied over the new one.
func TestPutBackOneHeader(t *testing.T) {
	for _, name := range []string{headerFile, backupFile} {
		dir, ctx := newDir(t), t.Context()
		f, _ := testFile(dir, says("old"))
		mustPut(t, f, KindKey, "p", "1")
		old := copies(t, dir)
		if err := f.ChangePassphrase(ctx, says("new").ask); err != nil {
			t.Fatal(err)
		}
		newest := mustRead(t, filepath.Join(dir, headerFile))
		putBack(t, dir, old, name)
		g, _ := testFile(dir, says("old"))
		if _, err := g.Get(ctx, KindKey, "p"); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: the old passphrase: %v", name, err)
		}
		if err := g.Put(ctx, KindKey, "q", nil); !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: a write with the old passphrase: %v", name, err)
		}
		g, _ = testFile(dir, says("new"))
		wantGet(t, g, KindKey, "p", "1")
		mustPut(t, g, KindKey, "q", "2")
		for _, copy := range []string{headerFile, backupFile} {
			if !bytes.Equal(mustRead(t, filepath.Join(dir, copy)), newest) {
				t.Errorf("%s put back: %s is not the newest", name, copy)
			}
		}
	}
}

// That both copies were put back is noticed by who remembers a newer one: the
// kernel, or a process that runs. `groat lock` accepts them.
func TestPutBackBothHeaders(t *testing.T) {
	dir, ctx := newDir(t), t.Context()
	f, m := testFile(dir, types("old"))
	mustPut(t, f, KindKey, "p", "1")
	old := copies(t, dir)
	m.last = 0
	if err := f.ChangePassphrase(ctx, types("new").ask); err != nil {
		t.Fatal(err)
	}
	if m.last != time.Hour {
		t.Errorf("the new generation is remembered for %v", m.last)
	}
	putBack(t, dir, old, headerFile, backupFile)
	wantOld := func(who string, err error) {
		t.Helper()
		var e *Error
		if !errors.Is(err, ErrCorrupt) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "groat lock") || !strings.Contains(err.Error(), "put back") {
			t.Errorf("%s: %v", who, err)
		}
	}
	g, _ := testFile(dir, says("old"))
	g.memory = m
	for who, v := range map[string]*File{"the kernel remembers": g, "this process remembers": f} {
		_, err := v.Get(ctx, KindKey, "p")
		wantOld(who, err)
		wantOld(who, v.Put(ctx, KindSession, "s", nil))
		wantOld(who, v.ChangePassphrase(ctx, says("third").ask))
	}
	wantOld("unlock", g.Unlock(ctx, time.Hour))
	if err := g.Lock(ctx); err != nil {
		t.Fatal(err)
	}
	wantGet(t, g, KindKey, "p", "1")
}

// A header of version 1 is read as generation 0; a new passphrase makes it
// one of version 2, and the old copy is an old one.
func TestPutBackHeaderOfVersion1(t *testing.T) {
	dir, ctx := newDir(t), t.Context()
	f, _ := testFile(dir, says("old"))
	mustPut(t, f, KindKey, "p", "1")
	h := *f.headerOf(t)
	key, seed, err := h.open([]byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	h.generation = ^uint64(0) // so that wrapping gives 0, as before generations
	h.wrap([]byte("old"), leastCost, key, seed)
	raw := h.encode()
	if raw[7] != 1 || len(raw) != 282 {
		t.Fatalf("version %d of %d bytes", raw[7], len(raw))
	}
	for _, name := range []string{headerFile, backupFile} {
		mustWrite(t, filepath.Join(dir, name), raw)
	}
	g, _ := testFile(dir, says("old"))
	wantGet(t, g, KindKey, "p", "1")
	if err := g.ChangePassphrase(ctx, says("new").ask); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, filepath.Join(dir, headerFile), raw)
	k, _ := testFile(dir, says("new"))
	wantGet(t, k, KindKey, "p", "1")
}

// Of a key and its card the older one is an old copy that was put back: the
// card is mended, and an old key is never taken for the newest.
func TestPutBackCardOrKey(t *testing.T) {
	ctx := t.Context()
	for _, item := range []Kind{KindCard, KindKey} {
		m := NewMemory()
		if _, err := PutKey(ctx, m, "p", accesskey.Key{ID: "AKIAOLD", Secret: "s"}, Card{}); err != nil {
			t.Fatal(err)
		}
		old, err := m.Get(ctx, item, "p")
		if err != nil {
			t.Fatal(err)
		}
		want, err := PutKey(ctx, m, "p", accesskey.Key{ID: "AKIANEW", Secret: "s"}, Card{})
		if err != nil {
			t.Fatal(err)
		}
		if mended, err := MendCard(ctx, m, "p"); mended || err != nil {
			t.Errorf("nothing is to be mended: %v, %v", mended, err)
		}
		mustPut(t, m, item, "p", string(old))
		mended, err := MendCard(ctx, m, "p")
		card, cerr := GetCard(ctx, m, "p")
		if cerr != nil || card != want {
			t.Errorf("%s: the card is %+v, %v", item, card, cerr)
		}
		if item == KindCard && (!mended || err != nil) || item == KindKey && (mended || !errors.Is(err, ErrCorrupt)) {
			t.Errorf("%s: %v, %v", item, mended, err)
		}
	}
}

// What is stored later is newer, though the clock was put back.
func TestStoredNeverGoesBack(t *testing.T) {
	ctx, m := t.Context(), NewMemory()
	key := accesskey.Key{ID: "AKIA", Secret: "s"}
	first, err := PutKey(ctx, m, "p", key, Card{})
	if err != nil {
		t.Fatal(err)
	}
	first.Stored = first.Stored.Add(time.Hour)
	if err := putCard(ctx, m, first); err != nil {
		t.Fatal(err)
	}
	second, err := PutKey(ctx, m, "p", key, Card{})
	if err != nil || !second.Stored.After(first.Stored) {
		t.Errorf("stored %v, then %v, %v", first.Stored, second.Stored, err)
	}
}

// Locks in a folder behind a symbolic link exclude nobody, and who made the
// link would be handed the key: nothing is opened or written.
func TestLocksBehindALink(t *testing.T) {
	dir, ctx := newDir(t), t.Context()
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	locks := filepath.Join(dir, lockFolder)
	away := filepath.Join(t.TempDir(), "away")
	if err := errors.Join(os.Rename(locks, away), os.Symlink(away, locks)); err != nil {
		t.Fatal(err)
	}
	g, _ := testFile(dir, says("x"))
	g.cfg.AskAlone = func(context.Context, func() bool) (func(error), error) { return func(error) {}, nil }
	_, err := g.Get(ctx, KindKey, "p")
	for _, err := range []error{err, g.Put(ctx, KindKey, "p", nil), g.Remove(ctx, KindKey, "p")} {
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "symbolic link") {
			t.Error(err)
		}
	}
}

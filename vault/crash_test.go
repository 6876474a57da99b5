package vault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"groat/vault/accesskey"
	"groat/vault/files"
)

// faults are the ways an operation on the file system can end. A kill ends
// every later operation too, the cleaning up included.
var faults = []struct {
	name string
	err  error
	kill bool
}{
	{"kill", errDead, true}, {"ENOSPC", syscall.ENOSPC, false}, {"EIO", syscall.EIO, false}, {"EACCES", syscall.EACCES, false},
	{"EROFS", syscall.EROFS, false}, {"EMFILE", syscall.EMFILE, false},
}

// hour lets the remembered key spare a key derivation at each point.
var hour = time.Hour

// crashPoints is what all scenarios of this package have tried, over which
// TestCrashFigures reports.
var crashPoints, crashLost, crashTorn atomic.Int64

// scenario is one way to write to a vault. run must be repeatable.
type scenario struct {
	name    string
	slow    bool                        // derives keys at each point: kills and one error are enough
	prepare func(t *testing.T, f *File) // the state before; f has no faults
	run     func(ctx context.Context, f *File) error
	before  func(ctx context.Context, f *File) error // nil if f holds the old state
	after   func(ctx context.Context, f *File) error // nil if f holds the new state
}

var (
	oldKey = accesskey.Key{ID: "AKIAOLDOLDOLDOLDOLD1", Secret: "old secret"}
	newKey = accesskey.Key{ID: "AKIANEWNEWNEWNEWNEW1", Secret: "new secret, longer than the old one"}
)

// holds reports whether a profile's key and its card are exactly key.
func holds(ctx context.Context, f *File, profile string, key accesskey.Key) error {
	got, err := GetKey(ctx, f, profile)
	if err != nil {
		return err
	}
	card, err := GetCard(ctx, f, profile)
	if err != nil {
		return err
	}
	if card.KeyID != got.ID || card.Generation != got.Generation {
		return fmt.Errorf("the card describes %s, the key is %s", card.KeyID, got.ID)
	}
	if got.ID != key.ID || got.Secret != key.Secret {
		return fmt.Errorf("it is %s", got.ID)
	}
	return nil
}

func gone(ctx context.Context, f *File, kind Kind, name string) error {
	if _, err := f.Get(ctx, kind, name); !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("not gone: %w", errors.Join(err, errors.New("found")))
	}
	return nil
}

func item(ctx context.Context, f *File, kind Kind, name, want string) error {
	got, err := f.Get(ctx, kind, name)
	if err == nil && string(got) != want {
		err = fmt.Errorf("it is %.20q", got)
	}
	return err
}

func putKey(key accesskey.Key) func(ctx context.Context, f *File) error {
	return func(ctx context.Context, f *File) error {
		_, err := PutKey(ctx, f, "p", key, Card{})
		return err
	}
}

var fileScenarios = []scenario{
	{name: "first add", slow: true, run: putKey(newKey),
		before: func(ctx context.Context, f *File) error { return gone(ctx, f, KindKey, "p") },
		after:  func(ctx context.Context, f *File) error { return holds(ctx, f, "p", newKey) }},
	{name: "add", prepare: witness, run: putKey(newKey),
		before: func(ctx context.Context, f *File) error { return gone(ctx, f, KindKey, "p") },
		after:  func(ctx context.Context, f *File) error { return holds(ctx, f, "p", newKey) }},
	{name: "overwrite", prepare: withOldKey, run: putKey(newKey),
		before: func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) },
		after:  func(ctx context.Context, f *File) error { return holds(ctx, f, "p", newKey) }},
	{name: "remove", prepare: withOldKey,
		run: func(ctx context.Context, f *File) error {
			if err := RemoveKey(ctx, f, "p"); !errors.Is(err, ErrNotFound) {
				return err
			}
			return nil
		},
		before: func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) },
		after:  func(ctx context.Context, f *File) error { return gone(ctx, f, KindKey, "p") }},
	{name: "change of a card", prepare: withOldKey,
		run: func(ctx context.Context, f *File) error {
			_, err := SetCard(ctx, f, "p", func(c *Card) { c.MFASerial = "GAHT1" })
			return err
		},
		before: func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) },
		after: func(ctx context.Context, f *File) error {
			card, err := GetCard(ctx, f, "p")
			if err == nil && card.MFASerial != "GAHT1" {
				err = errors.New("the card is unchanged")
			}
			return errors.Join(err, holds(ctx, f, "p", oldKey))
		}},
	{name: "rebuilding a lost card",
		prepare: func(t *testing.T, f *File) {
			withOldKey(t, f)
			if err := f.Remove(t.Context(), KindCard, "p"); err != nil {
				t.Fatal(err)
			}
		},
		run: func(ctx context.Context, f *File) error {
			_, err := GetCard(ctx, f, "p")
			return err
		},
		before: func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) },
		after:  func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) }},
	{name: "cache write", prepare: witness,
		run:    func(ctx context.Context, f *File) error { return f.Put(ctx, KindSession, "s", []byte("new")) },
		before: func(ctx context.Context, f *File) error { return gone(ctx, f, KindSession, "s") },
		after:  func(ctx context.Context, f *File) error { return item(ctx, f, KindSession, "s", "new") }},
	{name: "cache rewrite",
		prepare: func(t *testing.T, f *File) {
			witness(t, f)
			mustPut(t, f, KindSession, "s", "old")
		},
		run:    func(ctx context.Context, f *File) error { return f.Put(ctx, KindSession, "s", []byte("new")) },
		before: func(ctx context.Context, f *File) error { return item(ctx, f, KindSession, "s", "old") },
		after:  func(ctx context.Context, f *File) error { return item(ctx, f, KindSession, "s", "new") }},
	{name: "repair of the header",
		prepare: func(t *testing.T, f *File) {
			withOldKey(t, f)
			mustWrite(t, filepath.Join(f.dir, headerFile), []byte("damaged"))
		},
		run:    putKey(newKey),
		before: func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) },
		after:  func(ctx context.Context, f *File) error { return holds(ctx, f, "p", newKey) }},
	{name: "change of the passphrase", slow: true, prepare: withOldKey,
		run: func(ctx context.Context, f *File) error {
			f.cfg.Passphrase = says("x").ask
			err := f.ChangePassphrase(ctx, says("y").ask)
			if errors.Is(err, ErrPassphrase) { // it is the new one already
				f.cfg.Passphrase = says("y").ask
				err = f.ChangePassphrase(ctx, says("y").ask)
			}
			return err
		},
		before: func(ctx context.Context, f *File) error { return opensWith(ctx, f, "x") },
		after:  func(ctx context.Context, f *File) error { return opensWith(ctx, f, "y") }},
}

func opensWith(ctx context.Context, f *File, word string) error {
	g := OpenFile(Config{FileDir: f.dir, Passphrase: says(word).ask})
	g.memory = &fakeMemory{}
	return holds(ctx, g, "p", oldKey)
}

// witness is an item that no operation concerns.
func witness(t *testing.T, f *File) { mustPut(t, f, KindKey, "witness", "fine") }

func withOldKey(t *testing.T, f *File) {
	witness(t, f)
	if _, err := PutKey(t.Context(), f, "p", oldKey, Card{}); err != nil {
		t.Fatal(err)
	}
}

// TestCrash: whichever operation on the files fails or is the last one, the
// old or the new state is there, the rest is untouched, and trying again works.
func TestCrash(t *testing.T) {
	left := len(fileScenarios) + len(migrateScenarios)
	for _, s := range append(fileScenarios, migrateScenarios...) {
		t.Run(s.name, func(t *testing.T) { left--; crash(t, s) })
	}
	t.Logf("crash: %d kill and fault points, %d keys lost, %d files torn", crashPoints.Load(), crashLost.Load(), crashTorn.Load())
	if n := crashPoints.Load(); n < 1000 && left == 0 && !testing.Short() {
		t.Errorf("only %d points", n)
	}
}

func crash(t *testing.T, s scenario) {
	base := newDir(t)
	var known map[[16]byte]remembered
	if s.prepare != nil {
		f, _ := testFile(base, says("x"))
		s.prepare(t, f)
		h := f.headerOf(t)
		known = map[[16]byte]remembered{h.id: {*f.key, h.generation, 1}} // no key derivation at each point
	}
	kinds := faults
	if testing.Short() || s.slow {
		kinds = faults[:2]
	}
	for _, fault := range kinds {
		for n := 0; ; n++ {
			dir := newDir(t)
			copyDir(t, base, dir)
			at, memory := 0, &fakeMemory{keys: maps.Clone(known)}
			f, _ := testFile(dir, says("x"))
			f.memory, f.cfg.UnlockFor = memory, &hour
			where := ""
			f.disk.Before = func(op, path string) error {
				at++
				if at == n+1 {
					where = op + " " + filepath.Base(path)
				}
				if at == n+1 || at > n && fault.kill {
					return fault.err
				}
				return nil
			}
			err := s.run(t.Context(), f)
			if at <= n {
				if err != nil {
					t.Fatalf("without a fault: %v", err)
				}
				break
			}
			crashPoints.Add(1)
			judge(t, s, dir, memory, err, fmt.Sprintf("%s at operation %d (%s)", fault.name, n, where))
			if err := os.RemoveAll(filepath.Dir(dir)); err != nil {
				t.Fatal(err)
			}
			if t.Failed() {
				return
			}
		}
	}
}

func judge(t *testing.T, s scenario, dir string, memory *fakeMemory, err error, what string) {
	t.Helper()
	open := func() *File {
		f, _ := testFile(dir, says("x"))
		f.memory, f.cfg.UnlockFor = memory, &hour
		return f
	}
	ctx := t.Context()
	judgeFormat(t, dir, what, "x", "y")
	before, after := s.before(ctx, open()), s.after(ctx, open())
	if before != nil && after != nil {
		crashLost.Add(1)
		t.Errorf("%s: neither the old state (%v) nor the new one (%v)", what, before, after)
	}
	if err == nil && after != nil {
		t.Errorf("%s: it said nil, and: %v", what, after)
	}
	if s.prepare != nil {
		if err := item(ctx, open(), KindKey, "witness", "fine"); err != nil {
			crashTorn.Add(1)
			t.Errorf("%s: the other item: %v", what, err)
		}
	}
	if err := s.run(ctx, open()); err != nil {
		t.Errorf("%s: trying again: %v", what, err)
	}
	if err := s.after(ctx, open()); err != nil {
		t.Errorf("%s: after trying again: %v", what, err)
	}
	judgeFormat(t, dir, what+", after trying again", "x", "y")
	entries, rerr := os.ReadDir(dir)
	if rerr != nil {
		t.Fatal(rerr)
	}
	for _, e := range entries {
		// What the retry did not have to write under the lock may stay; a write sweeps.
		if strings.HasPrefix(e.Name(), files.TempPrefix) && err != nil && s.name != "rebuilding a lost card" {
			t.Errorf("%s: %s was left behind", what, e.Name())
		}
	}
}

func copyDir(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err := errors.Join(err, os.MkdirAll(to, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			mustWrite(t, filepath.Join(to, e.Name()), mustRead(t, filepath.Join(from, e.Name())))
		}
	}
}

package vault

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/vault/accesskey"
	"groat/vault/files"
)

func TestFileAsksOnlyWhenNeeded(t *testing.T) {
	dir := newDir(t)
	a := types("horse")
	f, _ := testFile(dir, a)
	ctx := t.Context()
	if _, err := f.Get(ctx, KindKey, "p"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if err := f.Remove(ctx, KindKey, "p"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if names, err := f.Names(ctx, KindKey); err != nil || len(names) != 0 {
		t.Fatal(names, err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) || a.count() != 0 {
		t.Fatalf("reading made the directory (%v) or asked (%d)", err, a.count())
	}
	mustPut(t, f, KindKey, "p", "1")
	if a.count() != 1 || !a.asked[0].New || a.asked[0].Path != dir {
		t.Fatalf("asked %+v for a new vault", a.asked)
	}
	mustPut(t, f, KindKey, "q", "2")
	wantGet(t, f, KindKey, "p", "1")
	if a.count() != 1 {
		t.Errorf("asked %d times in one process", a.count())
	}
	b := types("horse")
	g, _ := testFile(dir, b)
	if _, err := g.Get(ctx, KindKey, "missing"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if names, err := g.Names(ctx, KindKey); err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	if err := g.Remove(ctx, KindKey, "q"); err != nil || b.count() != 0 {
		t.Fatalf("%v, asked %d times", err, b.count())
	}
	wantGet(t, g, KindKey, "p", "1")
	if b.count() != 1 || b.asked[0].New {
		t.Errorf("asked %+v", b.asked)
	}
}

func TestFilePassphrase(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("right"))
	mustPut(t, f, KindKey, "p", "1")
	before := snapshot(t, dir)
	ctx := t.Context()
	for _, c := range []struct {
		a     *asker
		asked int
		err   error
	}{
		{says("wrong"), 1, ErrPassphrase},
		{types("wrong"), 3, ErrPassphrase},
		{types("wrong", "wrong", "right"), 3, nil},
		{says(""), 1, ErrPassphrase},
		{&asker{err: ErrLocked}, 1, ErrLocked},
		{&asker{err: context.Canceled}, 1, context.Canceled},
	} {
		g, _ := testFile(dir, c.a)
		_, err := g.Get(ctx, KindKey, "p")
		if !errors.Is(err, c.err) || c.a.count() != c.asked {
			t.Errorf("%+v: %v, asked %d", c.a, err, c.a.count())
		}
		if c.err == nil {
			continue
		}
		if err := g.Put(ctx, KindKey, "p", []byte("2")); !errors.Is(err, c.err) {
			t.Errorf("Put with %+v: %v", c.a, err)
		}
		if _, err := PutKey(ctx, g, "p", accesskey.Key{ID: "AKIA", Secret: "s"}, Card{}); !errors.Is(err, c.err) {
			t.Errorf("PutKey with %+v: %v", c.a, err)
		}
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("a wrong passphrase changed the vault:\n%s\n%s", before, after)
	}
	g, _ := testFile(dir, nobody())
	if _, err := g.Get(ctx, KindKey, "p"); !errors.Is(err, ErrLocked) {
		t.Errorf("without anybody to ask: %v", err)
	}
}

// nobody is the answer where nobody can be asked.
func nobody() *asker { return &asker{err: ErrLocked} }

func TestFileEmptyPassphrase(t *testing.T) {
	f, _ := testFile(newDir(t), types(""))
	if err := f.Put(t.Context(), KindKey, "p", nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("an empty prompted passphrase: %v", err)
	}
	if _, err := os.Lstat(f.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the refused vault was made: %v", err)
	}
	g, _ := testFile(newDir(t), says(""))
	mustPut(t, g, KindKey, "p", "1")
	h, _ := testFile(g.dir, says(""))
	wantGet(t, h, KindKey, "p", "1")
}

func TestFileRemembers(t *testing.T) {
	eight, never := 8*time.Hour, time.Duration(0)
	for _, c := range []struct {
		name string
		a    *asker
		forD *time.Duration
		want time.Duration
	}{
		{"prompted", types("x"), nil, time.Hour},
		{"prompted, 8 h", types("x"), &eight, eight},
		{"prompted, never", types("x"), &never, 0},
		{"variable", says("x"), nil, 0},
		{"variable, 8 h", says("x"), &eight, eight},
		{"variable, never", says("x"), &never, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := newDir(t)
			f, m := testFile(dir, c.a)
			f.cfg.UnlockFor = c.forD
			mustPut(t, f, KindKey, "p", "1")
			if m.last != c.want {
				t.Errorf("a new vault is remembered for %v, want %v", m.last, c.want)
			}
			m.keys, m.last = nil, 0
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			wantGet(t, f, KindKey, "p", "1")
			if m.last != c.want {
				t.Errorf("an opened vault is remembered for %v, want %v", m.last, c.want)
			}
			g, _ := testFile(dir, nobody())
			g.memory = m
			_, err := g.Get(t.Context(), KindKey, "p")
			if (err == nil) != (c.want > 0) {
				t.Errorf("without a passphrase: %v", err)
			}
		})
	}
}

func TestFileMemoryIsProved(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	_, h, err := f.readCopy(headerFile)
	if err != nil {
		t.Fatal(err)
	}
	_ = m.store(h.id, vaultKey{1, 2, 3}, 9, time.Hour) // planted
	g, _ := testFile(dir, nobody())
	g.memory = m
	if _, err := g.Get(t.Context(), KindKey, "p"); !errors.Is(err, ErrLocked) {
		t.Errorf("a planted key was used: %v", err)
	}
	m.full = true
	f2, _ := testFile(dir, types("x"))
	f2.memory = m
	wantGet(t, f2, KindKey, "p", "1") // a full keyring is no error
	mustPut(t, f2, KindKey, "p", "2")
}

func TestFileSeedsNeedThePassphrase(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	mustPut(t, f, KindSeed, "GAHT1", "seed")
	if err := f.Unlock(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	a := nobody()
	g, _ := testFile(dir, a)
	g.memory = m
	wantGet(t, g, KindKey, "p", "1")
	if _, err := g.Get(t.Context(), KindSeed, "GAHT1"); !errors.Is(err, ErrLocked) || a.count() != 1 {
		t.Errorf("the seed with unlock memory alone: %v, asked %d", err, a.count())
	}
	if err := g.Put(t.Context(), KindSeed, "GAHT2", []byte("s")); !errors.Is(err, ErrLocked) {
		t.Errorf("storing a seed with unlock memory alone: %v", err)
	}
	g.cfg.Passphrase = says("x").ask
	wantGet(t, g, KindSeed, "GAHT1", "seed")
	// The vault key does not open a seed, whatever the file is called.
	_, h, _ := f.readCopy(headerFile)
	if _, err := h.openItem(m.keys[h.id].key, KindSeed, "GAHT1", mustRead(t, f.path(KindSeed, "GAHT1"))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("the vault key opens a seed: %v", err)
	}
}

func TestFileUnlockAndLock(t *testing.T) {
	dir := newDir(t)
	a := types("x")
	f, m := testFile(dir, a)
	ctx := t.Context()
	if err := f.Unlock(ctx, time.Hour); !errors.Is(err, ErrNotFound) {
		t.Errorf("Unlock of no vault: %v", err)
	}
	if err := f.Lock(ctx); err != nil {
		t.Errorf("Lock of no vault: %v", err)
	}
	mustPut(t, f, KindKey, "p", "1")
	if err := f.Unlock(ctx, 8*time.Hour); err != nil || m.last != 8*time.Hour || a.count() != 2 {
		t.Errorf("Unlock: %v, for %v, asked %d", err, m.last, a.count())
	}
	if ok, err := f.Unlocked(ctx); !ok || err != nil {
		t.Errorf("Unlocked: %v, %v", ok, err)
	}
	if err := f.Lock(ctx); err != nil || len(m.keys) != 0 || f.key != nil {
		t.Errorf("Lock: %v, %d keys remembered", err, len(m.keys))
	}
	if ok, err := f.Unlocked(ctx); ok || err != nil {
		t.Errorf("Unlocked after Lock: %v, %v", ok, err)
	}
	f.cfg.Passphrase = types("wrong").ask
	if err := f.Unlock(ctx, time.Hour); !errors.Is(err, ErrPassphrase) || len(m.keys) != 0 {
		t.Errorf("Unlock with a wrong passphrase: %v", err)
	}
	m.full = true
	f.cfg.Passphrase = types("x").ask
	if err := f.Unlock(ctx, time.Hour); !errors.Is(err, ErrNoUnlockMemory) {
		t.Errorf("Unlock without a kernel keyring: %v", err)
	}
}

func TestFileChangePassphrase(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("old"))
	ctx := t.Context()
	mustPut(t, f, KindKey, "p", "1")
	mustPut(t, f, KindSeed, "s", "seed")
	g, _ := testFile(dir, says("old"))
	wantGet(t, g, KindKey, "p", "1")
	item := mustRead(t, f.path(KindKey, "p"))
	next := types("new")
	if err := f.ChangePassphrase(ctx, next.ask); err != nil {
		t.Fatal(err)
	}
	if next.count() != 1 || !next.asked[0].New {
		t.Errorf("asked %+v for the new passphrase", next.asked)
	}
	if !bytes.Equal(item, mustRead(t, f.path(KindKey, "p"))) {
		t.Error("an item was written again")
	}
	if !bytes.Equal(mustRead(t, filepath.Join(dir, headerFile)), mustRead(t, filepath.Join(dir, backupFile))) {
		t.Error("the copies of the header differ")
	}
	for word, want := range map[string]error{"old": ErrPassphrase, "new": nil} {
		h, _ := testFile(dir, says(word))
		if _, err := h.Get(ctx, KindKey, "p"); !errors.Is(err, want) {
			t.Errorf("with the %s passphrase: %v", word, err)
		}
		if _, err := h.Get(ctx, KindSeed, "s"); !errors.Is(err, want) {
			t.Errorf("the seed with the %s passphrase: %v", word, err)
		}
	}
	mustPut(t, f, KindKey, "p", "2")
	g.cfg.Passphrase = says("new").ask // a process that was open across the change
	mustPut(t, g, KindKey, "q", "3")
	wantGet(t, f, KindKey, "q", "3")
	if err := f.ChangePassphrase(ctx, next.ask); !errors.Is(err, ErrPassphrase) {
		t.Errorf("with the old one as current: %v", err)
	}
	f.cfg.Passphrase = says("new").ask
	if err := f.ChangePassphrase(ctx, types("").ask); !errors.Is(err, ErrPassphrase) {
		t.Errorf("to an empty one: %v", err)
	}
}

func TestFileTwoCreators(t *testing.T) {
	dir := newDir(t)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, word := range []string{"one", "two"} {
		wg.Go(func() {
			f, _ := testFile(dir, says(word))
			errs[i] = f.Put(t.Context(), KindKey, word, []byte(word))
		})
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), ErrPassphrase) {
		t.Errorf("two creators: %v; want one made and one refused", errs)
	}
}

// A header of another vault that was put beside ours is not spread over the
// one that opens the items, neither by a write nor by a new passphrase.
func TestFileTwoVaultsHeaders(t *testing.T) {
	ctx := t.Context()
	ours, theirs := newDir(t), newDir(t)
	for _, dir := range []string{ours, theirs} {
		f, _ := testFile(dir, says("same"))
		mustPut(t, f, KindKey, "p", "key of "+dir)
	}
	good := mustRead(t, filepath.Join(ours, headerFile))
	mustWrite(t, filepath.Join(ours, headerFile), mustRead(t, filepath.Join(theirs, headerFile)))
	f, _ := testFile(ours, says("same"))
	perr := f.Put(ctx, KindSession, "s", []byte("x"))
	cerr := f.ChangePassphrase(ctx, says("new").ask)
	for what, err := range map[string]error{"Put": perr, "ChangePassphrase": cerr} {
		if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), "two vaults") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !bytes.Equal(mustRead(t, filepath.Join(ours, backupFile)), good) {
		t.Fatal("the only header that opens the items was written over")
	}
	if err := os.Remove(filepath.Join(ours, headerFile)); err != nil {
		t.Fatal(err)
	}
	f, _ = testFile(ours, says("same"))
	wantGet(t, f, KindKey, "p", "key of "+ours)
}

func TestFileSweepsAtWrites(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	stale := filepath.Join(dir, files.TempPrefix+"00112233")
	mustWrite(t, stale, []byte("half"))
	wantGet(t, f, KindKey, "p", "1")
	if _, err := f.Names(t.Context(), KindKey); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(stale); err != nil {
		t.Errorf("a read swept: %v", err)
	}
	mustPut(t, f, KindKey, "p", "2")
	if _, err := os.Lstat(stale); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a write did not sweep: %v", err)
	}
}

func TestFileIgnoresWhatIsNotItsOwn(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	long := strings.Repeat("長", 100)
	mustPut(t, f, KindKey, long, "2")
	for _, name := range []string{".DS_Store", ".key.q", "key", "key.Q", "README", "key.p~", "key.p.bak~", ".tmp-xyz"} {
		mustWrite(t, filepath.Join(dir, name), []byte("x"))
	}
	for _, name := range []string{"key.folder", "notes"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := f.Names(t.Context(), KindKey); err != nil || len(names) != 2 || names[0] != "p" || names[1] != long {
		t.Errorf("names %q, %v", names, err)
	}
	if _, err := f.Get(t.Context(), KindKey, "folder"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Get of a folder: %v", err)
	}
	if err := f.Remove(t.Context(), KindKey, "folder"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Remove of a folder: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "key.folder")); err != nil {
		t.Errorf("the folder: %v", err)
	}
}

// snapshot is every file of the vault, by name and content, but for locks.
func snapshot(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b.WriteString(e.Name() + "=" + string(mustRead(t, filepath.Join(dir, e.Name()))) + "\n")
	}
	return b.String()
}

// TestFileOneQuestion: many who need the passphrase at once ask once, where
// the kernel remembers the answer.
func TestFileOneQuestion(t *testing.T) {
	dir := newDir(t)
	f, m := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	a := types("x")
	var turn sync.Mutex
	alone := func(context.Context, func() bool) (func(error), error) {
		turn.Lock()
		return func(error) { turn.Unlock() }, nil
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			g, _ := testFile(dir, a)
			g.memory, g.cfg.AskAlone = m, alone
			if _, err := g.Get(t.Context(), KindKey, "p"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if a.count() != 1 {
		t.Errorf("asked %d times", a.count())
	}
}

// TestFileAskAlone: how a question went is told to those who wait for it, and
// one who waited for a question that failed is not asked.
func TestFileAskAlone(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "p", "1")
	for _, tt := range []struct {
		name  string
		asker *asker
		want  error
	}{
		{"answered", types("x"), nil},
		{"mistaken", types("no"), ErrPassphrase},
		{"declined", nobody(), ErrLocked},
	} {
		told := errors.New("nothing")
		g, _ := testFile(dir, tt.asker)
		g.cfg.AskAlone = func(context.Context, func() bool) (func(error), error) {
			return func(err error) { told = err }, nil
		}
		_, err := g.Get(t.Context(), KindKey, "p")
		if !errors.Is(err, tt.want) || !errors.Is(told, tt.want) {
			t.Errorf("%s: %v, the others were told %v", tt.name, err, told)
		}
	}
	a := types("x")
	g, _ := testFile(dir, a)
	g.cfg.AskAlone = func(context.Context, func() bool) (func(error), error) { return nil, ErrLocked }
	if _, err := g.Get(t.Context(), KindKey, "p"); !errors.Is(err, ErrLocked) || a.count() != 0 {
		t.Errorf("%v, asked %d times", err, a.count())
	}
}

// TestFileWithoutLock: a session is stored although the lock cannot be had,
// or all who wait for it would mint one after the other; a key is not.
func TestFileWithoutLock(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindSession, "s", "1")
	locks := filepath.Join(dir, lockFolder)
	if err := os.RemoveAll(locks); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, locks, nil)
	mustPut(t, f, KindSession, "s", "2")
	wantGet(t, f, KindSession, "s", "2")
	if err := f.Put(t.Context(), KindKey, "k", []byte("1")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Put(ctx, KindSession, "s", []byte("3")); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

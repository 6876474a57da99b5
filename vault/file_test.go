package vault

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// fakeMemory is unlock memory that belongs to one test.
type fakeMemory struct {
	mu   sync.Mutex
	keys map[[16]byte]remembered
	last time.Duration
	full bool
}

func (m *fakeMemory) load(id [16]byte) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[id]
	return k, ok
}

func (m *fakeMemory) store(id [16]byte, key vaultKey, generation uint64, d time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return ErrNoUnlockMemory
	}
	if m.keys == nil {
		m.keys = map[[16]byte]remembered{}
	}
	m.keys[id], m.last = remembered{key, generation, d}, d
	return nil
}

func (m *fakeMemory) drop(id [16]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.keys, id)
	return nil
}

// asker answers with its passphrases in turn, the last one for ever.
type asker struct {
	mu     sync.Mutex
	answer []string
	origin PassphraseOrigin
	asked  []PassphraseRequest
	err    error
}

func (a *asker) ask(_ context.Context, req PassphraseRequest) ([]byte, PassphraseOrigin, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, req)
	if a.err != nil {
		return nil, "", a.err
	}
	word := a.answer[min(len(a.asked), len(a.answer))-1]
	return []byte(word), a.origin, nil
}

func (a *asker) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

// says answers as GROAT_FILE_PASSPHRASE would.
func says(words ...string) *asker { return &asker{answer: words, origin: FromEnvironment} }

// types answers as a person at a prompt would.
func types(words ...string) *asker { return &asker{answer: words, origin: FromPrompt} }

// testFile opens a file vault with the cheapest KDF and unlock memory of its own.
func testFile(dir string, a *asker) (*File, *fakeMemory) {
	f := OpenFile(Config{FileDir: dir, Passphrase: a.ask})
	m := &fakeMemory{}
	f.cost, f.memory = func() kdfCost { return leastCost }, m
	return f, m
}

func newDir(t testing.TB) string { return filepath.Join(t.TempDir(), "data", "vault") }

func mustPut(t testing.TB, v Vault, kind Kind, name, data string) {
	t.Helper()
	if err := v.Put(context.Background(), kind, name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func wantGet(t testing.TB, v Vault, kind Kind, name, want string) {
	t.Helper()
	if got, err := v.Get(context.Background(), kind, name); err != nil || string(got) != want {
		t.Fatalf("Get %s %q: %.40q, %v; want %.40q", kind, name, got, err, want)
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustWrite(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

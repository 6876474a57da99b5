package vault

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damaged counts what the damage suite tried; TestDamage prints it.
type damaged struct {
	t        *testing.T
	f        *File
	tried    int
	believed int
	panics   int
}

// read opens the item as it lies there and expects ErrCorrupt and nothing
// else: no data, no panic, the file untouched.
func (d *damaged) read(kind Kind, name, how string) {
	d.t.Helper()
	d.tried++
	defer func() {
		if r := recover(); r != nil {
			d.panics++
			d.t.Errorf("%s: panic: %v", how, r)
		}
	}()
	path := d.f.path(kind, name)
	before, _ := os.ReadFile(path)
	data, err := d.f.Get(d.t.Context(), kind, name)
	if err == nil || data != nil {
		d.believed++
		d.t.Errorf("%s: believed: %.20q", how, data)
	}
	var e *Error
	if !errors.Is(err, ErrCorrupt) || !errors.As(err, &e) || e.Name != name || e.Hint() == "" {
		d.t.Errorf("%s: %v, hint missing or another error than ErrCorrupt", how, err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		d.t.Errorf("%s: the item was not left alone", how)
	}
}

// TestDamage: an item that is not, bit for bit, what was sealed under this
// vault, kind and name is never believed.
func TestDamage(t *testing.T) {
	dir := newDir(t)
	f, _ := testFile(dir, says("x"))
	long := strings.Repeat("長", 100)
	secret := `{"access_key_id":"AKIAIOSFODNN7EXAMPLE","secret_access_key":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}`
	items := []struct {
		kind       Kind
		name, data string
	}{{KindKey, "prod", secret}, {KindKey, long, secret}, {KindSeed, "GAHT12345678", "JBSWY3DPEHPK3PXP"}, {KindSession, strings.Repeat("0a", 32), "{}"}, {KindCard, "prod", ""}}
	for _, it := range items {
		mustPut(t, f, it.kind, it.name, it.data)
	}
	mustPut(t, f, KindKey, "witness", "fine")
	foreign, _ := testFile(newDir(t), says("x"))
	for _, it := range items {
		mustPut(t, foreign, it.kind, it.name, it.data)
	}
	d := &damaged{t: t, f: f}
	for i, it := range items {
		path := f.path(it.kind, it.name)
		whole := mustRead(t, path)
		try := func(file []byte, how string, args ...any) {
			mustWrite(t, path, file)
			d.read(it.kind, it.name, fmt.Sprintf("%s %.10q: ", it.kind, it.name)+fmt.Sprintf(how, args...))
		}
		for i := range whole {
			for bit := range 8 {
				file := bytes.Clone(whole)
				file[i] ^= 1 << bit
				try(file, "bit %d of byte %d", bit, i)
			}
			try(whole[:i], "cut to %d bytes", i)
			try(whole[i+1:], "without its first %d bytes", i+1)
		}
		for n := 1; n <= 64; n++ {
			try(append(bytes.Clone(whole), make([]byte, n)...), "with %d bytes more", n)
			try(make([]byte, n*7), "%d zero bytes", n*7)
		}
		try(make([]byte, 10<<20), "10 MB of zero bytes")
		try(append(bytes.Clone(whole), make([]byte, 10<<20)...), "with 10 MB more")
		try(append(bytes.Clone(whole), whole...), "twice")
		r := rand.New(rand.NewPCG(1, uint64(i)))
		for range 100 {
			file := make([]byte, r.IntN(400))
			for k := range file {
				file[k] = byte(r.Uint32())
			}
			try(file, "random bytes")
			cut := len(itemMagic) + 1 + len(it.kind) + 2 + len(it.name)
			try(append(bytes.Clone(whole[:cut]), file...), "random bytes after its own label")
		}
		for _, other := range items {
			if other.kind == it.kind && other.name == it.name {
				continue
			}
			try(mustRead(t, foreign.path(other.kind, other.name)), "another vault's other item")
			if other != items[i] {
				otherFile := mustRead(t, f.path(other.kind, other.name))
				try(otherFile, "the item of %s", other.kind)
				// its label replaced by this item's, the sealed part kept
				_, _, sealed, _ := cutLabel(otherFile[len(itemMagic):])
				try(append(appendLabel(bytes.Clone(itemMagic), it.kind, it.name), sealed...), "the item of %s under a new label", other.kind)
			}
		}
		try(mustRead(t, foreign.path(it.kind, it.name)), "the same item of another vault")
		try(WrapEnvelope(it.kind, it.name, []byte(it.data)), "an envelope of another backend")
		try([]byte(it.data), "the data in the clear")
		try([]byte("eyJhbGciOiJIUzI1NiJ9.e30."), "a JOSE item with an empty signature")
		for _, key := range []vaultKey{{}, {1}} {
			h := *f.headerOf(t)
			try(h.sealItem(key, it.kind, it.name, []byte("forged")), "sealed under a guessed key")
			h.id = [16]byte{}
			try(h.sealItem(*f.key, it.kind, it.name, []byte("forged")), "sealed for a vault of another id")
		}
		mustWrite(t, path, whole)
		wantGet(t, f, it.kind, it.name, it.data)
	}
	wantGet(t, f, KindKey, "witness", "fine")
	headerDamage(t, d)
	t.Logf("damage: %d damaged or forged items, %d believed, %d panics", d.tried, d.believed, d.panics)
	if d.tried < 4000 {
		t.Errorf("only %d were tried", d.tried)
	}
}

func (f *File) headerOf(t *testing.T) *header {
	t.Helper()
	_, h, err := f.readHeader()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// headerDamage: one damaged copy is repaired from the other; two are an
// error; a forged one is not believed.
func headerDamage(t *testing.T, d *damaged) {
	first, second := filepath.Join(d.f.dir, headerFile), filepath.Join(d.f.dir, backupFile)
	whole := mustRead(t, first)
	for _, path := range []string{first, second} {
		for i := range whole {
			flipped := bytes.Clone(whole)
			flipped[i] ^= 1 << (i % 8)
			for _, file := range [][]byte{flipped, whole[:i], append(bytes.Clone(whole), whole[:i+1]...)} {
				mustWrite(t, path, file)
				d.tried++
				wantGet(t, d.f, KindKey, "witness", "fine")
				if path == first && !bytes.Equal(mustRead(t, path), whole) {
					t.Fatalf("the first copy was not repaired by a read (byte %d)", i)
				}
			}
			if path == second && i%16 == 0 {
				mustPut(t, d.f, KindKey, "witness", "fine")
				if !bytes.Equal(mustRead(t, path), whole) {
					t.Fatalf("the second copy was not repaired by a write (byte %d)", i)
				}
			}
		}
		mustWrite(t, path, whole)
	}
	for _, path := range []string{first, second} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		wantGet(t, d.f, KindKey, "witness", "fine")
		mustPut(t, d.f, KindKey, "witness", "fine")
		if !bytes.Equal(mustRead(t, path), whole) {
			t.Fatalf("%s was not made again", path)
		}
	}
	// Both copies damaged: an error, and no new vault over the old items.
	for _, file := range [][]byte{nil, {0}, whole[:headerLen-1], make([]byte, 10<<20)} {
		mustWrite(t, first, file)
		mustWrite(t, second, file)
		d.read(KindKey, "witness", "both headers damaged")
		if err := d.f.Put(t.Context(), KindKey, "witness", nil); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Put with both headers damaged: %v", err)
		}
	}
	if err := errors.Join(os.Remove(first), os.Remove(second)); err != nil {
		t.Fatal(err)
	}
	d.read(KindKey, "witness", "both headers missing")
	if err := d.f.Put(t.Context(), KindKey, "witness", nil); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Put with both headers missing: %v", err)
	}
	forgedHeaders(t, d, first, second, whole)
	mustWrite(t, first, whole)
	mustWrite(t, second, whole)
	wantGet(t, d.f, KindKey, "witness", "fine")
}

// forgedHeaders: every byte changed with a checksum that fits. Neither the
// passphrase nor the remembered key opens such a vault.
func forgedHeaders(t *testing.T, d *damaged, first, second string, whole []byte) {
	h, err := parseHeader(whole)
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := h.open([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 8; i < headerLen-32; i++ {
		raw := bytes.Clone(whole)
		raw[i] ^= 0x01
		raw = checksummed(raw)
		d.tried++
		forged, err := parseHeader(raw)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("forged byte %d: %v", i, err)
			}
			continue
		}
		if forged.opens(key) {
			d.believed++
			t.Errorf("forged byte %d: the remembered key opens it", i)
		}
		if i%24 == 0 { // each costs a key derivation
			g, m := testFile(d.f.dir, says("x"))
			mustWrite(t, first, raw)
			mustWrite(t, second, raw)
			_ = m.store(forged.id, key, forged.generation, 1)
			if data, err := g.Get(t.Context(), KindKey, "witness"); data != nil || !(errors.Is(err, ErrPassphrase) || errors.Is(err, ErrCorrupt)) {
				d.believed++
				t.Errorf("forged byte %d: %q, %v", i, data, err)
			}
		}
	}
	for _, cost := range []kdfCost{{}, {memory: minMemory - 1, passes: 2, lanes: 1}, {memory: minMemory, passes: 1, lanes: 1}, {memory: minMemory, passes: 2}, {memory: 1 << 31, passes: 2, lanes: 1}, {memory: minMemory, passes: 1 << 30, lanes: 1}, {memory: minMemory, passes: 2, lanes: 255}} {
		weak := *h
		weak.kdf = cost
		d.tried++
		if _, err := parseHeader(weak.encode()); !errors.Is(err, ErrCorrupt) {
			t.Errorf("a header with %+v: %v", cost, err)
		}
	}
}

// checksummed puts the right checksum behind a changed header.
func checksummed(raw []byte) []byte {
	body := raw[:headerLen-sha256.Size]
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

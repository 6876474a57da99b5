package vault

import (
	"context"
	"testing"
)

// BenchmarkKDF is what one passphrase costs in a vault made here.
func BenchmarkKDF(b *testing.B) {
	h := &header{kdf: costHere()}
	for b.Loop() {
		h.derive([]byte("correct horse battery staple"))
	}
}

// BenchmarkGetRemembered is the warm path: header, remembered key, one item.
func BenchmarkGetRemembered(b *testing.B) {
	dir := newDir(b)
	f, m := testFile(dir, says("x"))
	mustPut(b, f, KindSession, "s", string(make([]byte, 2000)))
	m.keys = map[[16]byte]remembered{}
	_, h, _ := f.readCopy(headerFile)
	_ = m.store(h.id, *f.key, h.generation, 1)
	for b.Loop() {
		g := OpenFile(Config{FileDir: dir})
		g.memory = m
		if _, err := g.Get(context.Background(), KindSession, "s"); err != nil {
			b.Fatal(err)
		}
	}
}

package vault

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
)

func TestEnvelope(t *testing.T) {
	env := WrapEnvelope(KindKey, "prod", []byte("data"))
	if got, err := UnwrapEnvelope(KindKey, "prod", env); err != nil || string(got) != "data" {
		t.Fatalf("%q, %v", got, err)
	}
	for what, f := range map[string]func() ([]byte, error){
		"other name": func() ([]byte, error) { return UnwrapEnvelope(KindKey, "dev", env) },
		"other kind": func() ([]byte, error) { return UnwrapEnvelope(KindSeed, "prod", env) },
		"empty":      func() ([]byte, error) { return UnwrapEnvelope(KindKey, "prod", nil) },
		"appended":   func() ([]byte, error) { return UnwrapEnvelope(KindKey, "prod", append(bytes.Clone(env), 0)) },
	} {
		if got, err := f(); !errors.Is(err, ErrCorrupt) || got != nil {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	for i := range env {
		if _, err := UnwrapEnvelope(KindKey, "prod", env[:i]); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut at %d: %v", i, err)
		}
		for bit := range 8 {
			flipped := bytes.Clone(env)
			flipped[i] ^= 1 << bit
			if _, err := UnwrapEnvelope(KindKey, "prod", flipped); !errors.Is(err, ErrCorrupt) {
				t.Errorf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
}

func FuzzOpenEnvelope(f *testing.F) {
	f.Add(WrapEnvelope(KindKey, "prod", []byte("data")))
	f.Add(WrapEnvelope(KindSession, "", nil))
	f.Add([]byte("groat\x00e\x01\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, env []byte) {
		kind, name, data, err := OpenEnvelope(env)
		if err == nil && !bytes.Equal(WrapEnvelope(kind, name, data), env) {
			t.Fatalf("%q opens as %s %q %q, which is packed otherwise", env, kind, name, data)
		}
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
	})
}

// limited is a backend with a limit that it enforces, folding case as
// Windows does. It can die at an operation.
type limited struct {
	limit int
	items map[string][]byte
	left  int // operations until it dies; negative: never
}

var errDead = errors.New("dead")

func newLimited(limit int) *limited {
	return &limited{limit: limit, items: map[string][]byte{}, left: -1}
}

func (l *limited) alive() error {
	if l.left == 0 {
		return errDead
	}
	l.left--
	return nil
}

func (l *limited) get(name string) ([]byte, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	v, ok := l.items[name]
	if !ok {
		return nil, ErrNotFound
	}
	return bytes.Clone(v), nil
}

func (l *limited) put(name string, value []byte) error {
	if err := l.alive(); err != nil {
		return err
	}
	if len(value) > l.limit || len(name) > 200 {
		return fmt.Errorf("too large: %d bytes named %q", len(value), name)
	}
	l.items[name] = bytes.Clone(value)
	return nil
}

func (l *limited) remove(name string) error {
	if err := l.alive(); err != nil {
		return err
	}
	if _, ok := l.items[name]; !ok {
		return ErrNotFound
	}
	delete(l.items, name)
	return nil
}

func (l *limited) names() ([]string, error) {
	if err := l.alive(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(l.items)), nil
}

func value(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }

func TestChunks(t *testing.T) {
	const limit = 100
	l := newLimited(limit)
	name := EncodeName(KindSession, "s")
	for _, n := range []int{0, 1, 100, 101, 200, 201, 1000, 50, 999} {
		if err := putChunked(l, limit, name, value(n, byte(n))); err != nil {
			t.Fatal(err)
		}
		if got, err := getChunked(l, name); err != nil || !bytes.Equal(got, value(n, byte(n))) {
			t.Fatalf("%d bytes: got %d, %v", n, len(got), err)
		}
		want := 1
		if n > limit {
			want += (n + limit - 1) / limit
		}
		if len(l.items) != want {
			t.Errorf("%d bytes lie in %d items, want %d", n, len(l.items), want)
		}
	}
	if err := removeChunked(l, name); err != nil || len(l.items) != 0 {
		t.Errorf("removed: %v, %d items left", err, len(l.items))
	}
	if err := removeChunked(l, name); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if err := putChunked(l, 10, name, value(5, 1)); err == nil {
		t.Error("a limit below a manifest was accepted")
	}
}

// TestChunksDie: wherever replacing dies, the old or the new value is there,
// and the next writing leaves no rest behind.
func TestChunksDie(t *testing.T) {
	const limit = 100
	name := EncodeName(KindSession, "s")
	points := 0
	for _, sizes := range [][2]int{{50, 300}, {300, 50}, {300, 500}, {500, 300}, {40, 60}} {
		for n := 0; ; n++ {
			l := newLimited(limit)
			before, after := value(sizes[0], 'a'), value(sizes[1], 'b')
			if err := putChunked(l, limit, name, before); err != nil {
				t.Fatal(err)
			}
			l.left = n
			err := putChunked(l, limit, name, after)
			finished := l.left > 0
			l.left = -1
			got, gerr := getChunked(l, name)
			if gerr != nil || !(bytes.Equal(got, after) || err != nil && bytes.Equal(got, before)) {
				t.Fatalf("%v died at %d: %v; then %d bytes, %v", sizes, n, err, len(got), gerr)
			}
			points++
			if err := putChunked(l, limit, name, value(250, 'c')); err != nil || len(l.items) != 4 {
				t.Fatalf("%v died at %d: writing again: %v, %d items", sizes, n, err, len(l.items))
			}
			if finished {
				break
			}
		}
	}
	t.Logf("%d kill points, 0 values lost or mixed", points)
}

func TestChunksDamaged(t *testing.T) {
	const limit = 100
	name := EncodeName(KindSession, "s")
	whole := newLimited(limit)
	env := WrapEnvelope(KindSession, "s", value(300, 'a'))
	if err := putChunked(whole, limit, name, env); err != nil {
		t.Fatal(err)
	}
	read := func(l *limited) error {
		got, err := getChunked(l, name)
		if err == nil { // a manifest that lost its magic is a plain value, which no envelope is
			_, err = UnwrapEnvelope(KindSession, "s", got)
		}
		return err
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	for item := range whole.items {
		for i := range whole.items[item] {
			l := &limited{limit: limit, items: maps.Clone(whole.items), left: -1}
			l.items[item] = bytes.Clone(l.items[item])
			l.items[item][i] ^= 1
			if err := read(l); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d of %s: %v", i, item, err)
			}
			l.items[item] = l.items[item][:i]
			if err := read(l); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s cut at %d: %v", item, i, err)
			}
		}
		if item != name {
			l := &limited{limit: limit, items: maps.Clone(whole.items), left: -1}
			delete(l.items, item)
			if err := read(l); !errors.Is(err, ErrCorrupt) {
				t.Fatalf("without %s: %v", item, err)
			}
		}
	}
}

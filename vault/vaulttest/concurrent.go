package vaulttest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"groat/vault"
)

// oneItem: whoever reads while others replace sees one whole version.
func oneItem(t *testing.T, v vault.Vault, o Options) {
	version := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 3000) }
	put(t, v, vault.KindSession, "shared", version(0))
	var wg sync.WaitGroup
	for i := range o.Workers {
		wg.Go(func() {
			for range 5 {
				if err := v.Put(t.Context(), vault.KindSession, "shared", version(i)); err != nil {
					t.Errorf("Put: %v", err)
				}
				got, err := v.Get(t.Context(), vault.KindSession, "shared")
				if err != nil {
					t.Errorf("Get: %v", err)
				} else if len(got) != 3000 || !bytes.Equal(got, version(int(got[0]))) {
					t.Error("a torn item was read")
				}
			}
		})
	}
	wg.Wait()
}

func manyItems(t *testing.T, v vault.Vault, o Options) {
	var wg sync.WaitGroup
	for i := range o.Workers {
		wg.Go(func() {
			for j := range 4 {
				name := fmt.Sprintf("item-%02d-%d", i, j)
				if err := v.Put(t.Context(), vault.KindToken, name, []byte(name)); err != nil {
					t.Errorf("Put %s: %v", name, err)
				}
				if j%2 == 1 {
					if err := v.Remove(t.Context(), vault.KindToken, name); err != nil {
						t.Errorf("Remove %s: %v", name, err)
					}
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for i := range o.Workers {
		for j := 0; j < 4; j += 2 {
			name := fmt.Sprintf("item-%02d-%d", i, j)
			wantData(t, v, vault.KindToken, name, []byte(name))
			want = append(want, name)
		}
	}
	wantNames(t, v, vault.KindToken, want...)
}

func secondHandle(t *testing.T, v vault.Vault, o Options) {
	if o.Again == nil {
		t.Skip("this backend has one handle only")
	}
	put(t, v, vault.KindKey, "p", []byte("one"))
	w := o.Again(t)
	wantData(t, w, vault.KindKey, "p", []byte("one"))
	put(t, w, vault.KindKey, "p", []byte("two"))
	wantData(t, v, vault.KindKey, "p", []byte("two"))
	if err := v.Remove(t.Context(), vault.KindKey, "p"); err != nil {
		t.Fatal(err)
	}
	wantErr(t, w, vault.KindKey, "p", vault.ErrNotFound)
	if err := w.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func put(t *testing.T, v vault.Vault, kind vault.Kind, name string, data []byte) {
	t.Helper()
	if err := v.Put(t.Context(), kind, name, data); err != nil {
		t.Fatalf("Put %s %q (%d bytes): %v", kind, name, len(data), err)
	}
}

func get(t *testing.T, v vault.Vault, kind vault.Kind, name string) []byte {
	t.Helper()
	data, err := v.Get(t.Context(), kind, name)
	if err != nil {
		t.Fatalf("Get %s %q: %v", kind, name, err)
	}
	return data
}

func wantData(t *testing.T, v vault.Vault, kind vault.Kind, name string, want []byte) {
	t.Helper()
	if got := get(t, v, kind, name); !bytes.Equal(got, want) {
		t.Fatalf("Get %s %q: %d bytes (%.20q), want %d (%.20q)", kind, name, len(got), got, len(want), want)
	}
}

func wantErr(t *testing.T, v vault.Vault, kind vault.Kind, name string, want error) {
	t.Helper()
	if data, err := v.Get(t.Context(), kind, name); !errors.Is(err, want) || data != nil {
		t.Fatalf("Get %s %q: %d bytes, %v; want %v", kind, name, len(data), err, want)
	}
}

func wantNames(t *testing.T, v vault.Vault, kind vault.Kind, want ...string) {
	t.Helper()
	got, err := v.Names(t.Context(), kind)
	if err != nil {
		t.Fatalf("Names %s: %v", kind, err)
	}
	want = slices.Clone(want)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("Names %s: %d names %.200q, want %d %.200q", kind, len(got), got, len(want), want)
	}
}

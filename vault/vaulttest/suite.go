// Package vaulttest is the contract of a vault as a test suite: every backend
// and the vault in memory pass the same cases.
package vaulttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"groat/vault"
)

// Options adapt the suite to what a backend is, never to what it gets wrong.
type Options struct {
	// Again opens a second handle on the store that open gave last, as
	// another process would; nil skips the cases that need one.
	Again func(t *testing.T) vault.Vault
	// MaxData bounds the largest item the suite stores, in bytes; 0 = vault.MaxItem.
	MaxData int
	// Workers is the number of concurrent users; 0 = 8.
	Workers int
}

// OddNames are names of profiles, devices and cache entries that backends
// have stumbled over.
var OddNames = []string{
	"default", "a", "A", "prod", "Prod", "PROD", "with space", " leading", "trailing ", "trailing.", "..", ".", "../up", ".hidden",
	"a/b/c", "/abs", `back\slash`, "C:con", "con", "nul", "x@y.z", "a+b", "a:b", "a;b", "-x", "--force", "%s%d%2F", "a%20b",
	"arn:aws:iam::123456789012:mfa/my.user@example.com", "tab\there", "new\nline", "quote\"'`", "$HOME", "*?[]", "ünïcødé", "日本語", "e\u0301", "\u00e9",
	"emoji 🪙", "nul\x00byte", "\xff\xfe invalid", "_5f", "_", "__", "_h", "_x1", "key.prod", strings.Repeat("n", 200), strings.Repeat("N", 200), strings.Repeat("長", 200),
	strings.Repeat("n", 199) + "m", "", "a.b.c", strings.Repeat("x", vault.MaxName),
}

// Run runs every case, each against a store of its own: open returns an
// empty vault each time it is called.
func Run(t *testing.T, open func(t *testing.T) vault.Vault, opts Options) {
	if opts.MaxData == 0 {
		opts.MaxData = vault.MaxItem
	}
	if opts.Workers == 0 {
		opts.Workers = 8
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T, v vault.Vault, o Options)
	}{
		{"put get overwrite remove", basics},
		{"missing items", missing},
		{"kinds never meet", kinds},
		{"odd names", oddNames},
		{"data of all sizes", sizes},
		{"names", names},
		{"too large", tooLarge},
		{"cancelled", cancelled},
		{"locks exclude", locks},
		{"concurrent writers of one item", oneItem},
		{"concurrent writers of many items", manyItems},
		{"second handle", secondHandle},
		{"cards", cards},
		{"lost cards", lostCards},
		{"damaged key items", damagedKeys},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := open(t)
			t.Cleanup(func() {
				if err := v.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			c.test(t, v, opts)
		})
	}
}

func basics(t *testing.T, v vault.Vault, _ Options) {
	if v.Backend() == "" {
		t.Error("Backend is empty")
	}
	for _, data := range []string{"first", "second, longer", "3"} {
		put(t, v, vault.KindKey, "p", []byte(data))
		wantData(t, v, vault.KindKey, "p", []byte(data))
	}
	got := get(t, v, vault.KindKey, "p")
	got[0] ^= 1
	wantData(t, v, vault.KindKey, "p", []byte("3"))
	if err := v.Remove(t.Context(), vault.KindKey, "p"); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	wantErr(t, v, vault.KindKey, "p", vault.ErrNotFound)
}

func missing(t *testing.T, v vault.Vault, _ Options) {
	check := func() {
		t.Helper()
		wantErr(t, v, vault.KindKey, "nobody", vault.ErrNotFound)
		if err := v.Remove(t.Context(), vault.KindKey, "nobody"); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Remove of a missing item: %v, want ErrNotFound", err)
		}
	}
	check() // in an empty vault
	wantNames(t, v, vault.KindKey)
	put(t, v, vault.KindKey, "somebody", []byte("x"))
	check()
	if err := v.Remove(t.Context(), vault.KindKey, "somebody"); err != nil {
		t.Fatal(err)
	}
	if err := v.Remove(t.Context(), vault.KindKey, "somebody"); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("second Remove: %v, want ErrNotFound", err)
	}
}

var allKinds = []vault.Kind{vault.KindKey, vault.KindCard, vault.KindSession, vault.KindToken, vault.KindSeed, vault.KindJournal}

func kinds(t *testing.T, v vault.Vault, _ Options) {
	for _, k := range allKinds {
		put(t, v, k, "same", []byte("data of "+k))
	}
	for _, k := range allKinds {
		wantData(t, v, k, "same", []byte("data of "+k))
		wantNames(t, v, k, "same")
	}
	if err := v.Remove(t.Context(), vault.KindSession, "same"); err != nil {
		t.Fatal(err)
	}
	wantErr(t, v, vault.KindSession, "same", vault.ErrNotFound)
	wantData(t, v, vault.KindKey, "same", []byte("data of key"))
	if err := v.Put(t.Context(), "folder", "same", nil); err == nil {
		t.Error("Put of an unknown kind was accepted")
	}
}

func oddNames(t *testing.T, v vault.Vault, _ Options) {
	for i, name := range OddNames {
		put(t, v, vault.KindKey, name, fmt.Appendf(nil, "item %d", i))
	}
	for i, name := range OddNames {
		wantData(t, v, vault.KindKey, name, fmt.Appendf(nil, "item %d", i))
	}
	wantNames(t, v, vault.KindKey, OddNames...)
	for i, name := range OddNames {
		if err := v.Remove(t.Context(), vault.KindKey, name); err != nil {
			t.Errorf("Remove %q: %v", name, err)
		}
		wantErr(t, v, vault.KindKey, name, vault.ErrNotFound)
		if i+1 < len(OddNames) {
			wantData(t, v, vault.KindKey, OddNames[i+1], fmt.Appendf(nil, "item %d", i+1))
		}
	}
	wantNames(t, v, vault.KindKey)
}

func sizes(t *testing.T, v vault.Vault, o Options) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, n := range []int{0, 1, 2, 255, 2047, 2048, 2560, 2561, 6 << 10, 10 << 10, 40 << 10, o.MaxData} {
		if n > o.MaxData {
			continue
		}
		data := bytes.Repeat(all, n/256+1)[:n]
		put(t, v, vault.KindSession, "sized", data)
		wantData(t, v, vault.KindSession, "sized", data)
	}
	put(t, v, vault.KindSession, "sized", []byte("small again"))
	wantData(t, v, vault.KindSession, "sized", []byte("small again"))
	wantNames(t, v, vault.KindSession, "sized")
	if err := v.Remove(t.Context(), vault.KindSession, "sized"); err != nil {
		t.Fatal(err)
	}
	wantNames(t, v, vault.KindSession)
}

func names(t *testing.T, v vault.Vault, _ Options) {
	var want []string
	for i := range 30 {
		name := fmt.Sprintf("n%02d", 29-i)
		put(t, v, vault.KindCard, name, []byte("x"))
		want = append(want, name)
	}
	put(t, v, vault.KindKey, "other", []byte("x"))
	slices.Sort(want)
	wantNames(t, v, vault.KindCard, want...)
}

func tooLarge(t *testing.T, v vault.Vault, _ Options) {
	put(t, v, vault.KindKey, "p", []byte("kept"))
	if err := v.Put(t.Context(), vault.KindKey, "p", make([]byte, vault.MaxItem+1)); err == nil {
		t.Error("an item above MaxItem was accepted")
	}
	wantData(t, v, vault.KindKey, "p", []byte("kept"))
	long := strings.Repeat("x", vault.MaxName+1)
	if err := v.Put(t.Context(), vault.KindKey, long, []byte("x")); err == nil {
		t.Error("a name above MaxName was accepted")
	}
}

func cancelled(t *testing.T, v vault.Vault, _ Options) {
	put(t, v, vault.KindKey, "p", []byte("kept"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := v.Put(ctx, vault.KindKey, "p", []byte("new")); err == nil {
		t.Error("Put after cancellation succeeded")
	}
	if err := v.Remove(ctx, vault.KindKey, "p"); err == nil {
		t.Error("Remove after cancellation succeeded")
	}
	if _, err := v.Get(ctx, vault.KindKey, "p"); err == nil || errors.Is(err, vault.ErrNotFound) {
		t.Errorf("Get after cancellation: %v", err)
	}
	wantData(t, v, vault.KindKey, "p", []byte("kept"))
}

func locks(t *testing.T, v vault.Vault, o Options) {
	h, ok := v.(vault.Holder)
	if !ok {
		t.Fatal("the vault has no locks")
	}
	var wg sync.WaitGroup
	n, most, held := 0, 0, 0
	var mu sync.Mutex
	for range o.Workers {
		wg.Go(func() {
			release, err := h.Hold(t.Context(), "card.x")
			if err != nil {
				t.Errorf("Hold: %v", err)
				return
			}
			mu.Lock()
			held++
			most = max(most, held)
			mu.Unlock()
			n++ // the race detector sees this if the lock does not exclude
			mu.Lock()
			held--
			mu.Unlock()
			release()
		})
	}
	wg.Wait()
	if most != 1 || n != o.Workers {
		t.Errorf("%d held the lock at once, %d of %d had it", most, n, o.Workers)
	}
}

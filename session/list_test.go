package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fill stores fresh entries for the profiles, one that expired two days ago
// ("old") and one that is damaged.
func fill(t *testing.T, c *Cache, store *mapStore, clk *clock, profiles ...string) Key {
	t.Helper()
	n := 0
	clk.set(testNow.Add(-49 * time.Hour))
	if _, err := c.Do(t.Context(), testRequest("old"), countingMint(&n, c.Now)); err != nil {
		t.Fatal(err)
	}
	clk.set(testNow)
	for _, p := range profiles {
		if !c.store(t.Context(), testRequest(p), testCredentials(n, testNow.Add(time.Hour))) {
			t.Fatal("not stored")
		}
	}
	damaged := NewKey("damaged")
	store.items[string(damaged)] = []byte("null")
	return damaged
}

func TestListGivesAllThatCanBeRead(t *testing.T) {
	c, store, clk, _ := testCache(t)
	damagedKey := fill(t, c, store, clk, "a", "b", "c")
	entries, errs := c.List(t.Context())
	got := map[string]bool{}
	for _, e := range entries {
		got[e.Info.Profile] = true
		if e.Key != testRequest(e.Info.Profile).Key || !e.Info.Issued.Equal(testNow) || !e.Info.Expiration.Equal(testNow.Add(time.Hour)) {
			t.Errorf("entry %+v", e)
		}
	}
	if len(entries) != 3 || !got["a"] || !got["b"] || !got["c"] {
		t.Errorf("entries %+v", entries)
	}
	if len(errs) != 1 || !errors.Is(errs[0], ErrDamaged) || !strings.Contains(errs[0].Error(), string(damagedKey[:12])) {
		t.Errorf("errors %v", errs)
	}
}

func TestListAsksABrokenStoreOnce(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk, "a", "b", "c")
	locked := errors.New("locked")
	store.gets = 0
	store.fail = func(op, _ string) error {
		if op == "get" {
			return locked
		}
		return nil
	}
	if entries, errs := c.List(t.Context()); len(entries) != 0 || len(errs) != 1 || !errors.Is(errs[0], locked) || store.gets != 1 {
		t.Errorf("%v, %v, %d reads", entries, errs, store.gets)
	}
	// What need not be read to be deleted still can be.
	store.gets = 0
	n, err := c.Remove(t.Context(), func(Entry) bool { return true })
	if n != 5 || err != nil || store.gets != 1 || len(store.items) != 0 {
		t.Errorf("removed %d, %v, %d reads", n, err, store.gets)
	}
	store.fail = func(string, string) error { return locked }
	if _, errs := c.List(t.Context()); len(errs) != 1 || !errors.Is(errs[0], locked) {
		t.Error(errs)
	}
	if _, err := c.Remove(t.Context(), func(Entry) bool { return true }); !errors.Is(err, locked) {
		t.Error(err)
	}
}

func TestRemoveWhatMatchesOnly(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk, "a", "b")
	n, err := c.Remove(t.Context(), func(e Entry) bool { return e.Info.Profile == "a" })
	if n != 1 || err != nil || len(store.items) != 3 {
		t.Errorf("removed %d, %v; %d left", n, err, len(store.items))
	}
	store.fail = func(op, _ string) error {
		if op == "get" {
			return errors.New("locked")
		}
		return nil
	}
	if n, err = c.Remove(t.Context(), func(e Entry) bool { return e.Info.Profile == "b" }); n != 0 || err == nil {
		t.Errorf("removed %d from a store that does not open, %v", n, err)
	}
}

func TestRemoveCarriesOnPastUndeletableEntries(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk, "a", "b", "c")
	stuck := testRequest("b").Key
	store.fail = func(op, name string) error {
		if op == "remove" && name == string(stuck) {
			return errors.New("permission denied")
		}
		return nil
	}
	n, err := c.Remove(t.Context(), func(Entry) bool { return true })
	if n != 4 || err == nil || !strings.Contains(err.Error(), "permission denied") || len(store.items) != 1 {
		t.Errorf("removed %d, %v; %d left", n, err, len(store.items))
	}
}

func TestPruneTakesOnlyWhatExpiredLongAgo(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk, "a")
	clk.set(testNow.Add(24 * time.Hour)) // "a" expired 23 h ago
	c.Prune(t.Context())
	if _, there := store.items[string(testRequest("old").Key)]; there || len(store.items) != 2 {
		t.Errorf("%d items left, the old one: %v", len(store.items), there)
	}
}

func TestPruningHappensOnceADayAndBlocksNothing(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk, "a")
	listings := 0
	store.fail = func(op, _ string) error {
		if op == "names" {
			listings++
			return errors.New("listing is broken")
		}
		return nil
	}
	n := 0
	mintNew := func(profile string) {
		if _, err := c.Do(t.Context(), testRequest(profile), countingMint(&n, c.Now)); err != nil {
			t.Fatal(err)
		}
	}
	mintNew("first")
	mintNew("second")
	if n != 2 || listings != 1 {
		t.Errorf("%d mints, %d listings", n, listings)
	}
	clk.set(testNow.Add(25 * time.Hour))
	mintNew("third")
	if n != 3 || listings != 2 {
		t.Errorf("a day later: %d mints, %d listings", n, listings)
	}
}

func TestPruneStopsWithItsContext(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store.fail = func(string, string) error { return ctx.Err() }
	c.Prune(ctx)
	if len(store.items) != 3 {
		t.Errorf("%d items left", len(store.items))
	}
}

func TestUnwritableStampMeansNoPruning(t *testing.T) {
	c, store, clk, _ := testCache(t)
	fill(t, c, store, clk)
	if err := os.RemoveAll(filepath.Join(c.Flight.Dir, "state")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Flight.Dir, "state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store.fail = func(op, _ string) error {
		if op == "names" {
			t.Error("pruned without a stamp: every mint would")
		}
		return nil
	}
	n := 0
	if _, err := c.Do(t.Context(), testRequest("a"), countingMint(&n, c.Now)); err != nil {
		t.Fatal(err)
	}
}

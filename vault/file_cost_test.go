package vault

import (
	"context"
	"testing"
	"time"
)

// What a new passphrase costs follows the machine, within the bounds that a
// header is held to.
func TestCostFollowsTheMachine(t *testing.T) {
	for _, c := range []struct {
		probe time.Duration
		want  kdfCost
	}{
		{0, kdfCost{64 << 10, maxPasses, 4}}, // a clock that stands still
		{5 * time.Millisecond, kdfCost{64 << 10, maxPasses, 4}},
		{20 * time.Millisecond, kdfCost{64 << 10, 5, 4}},
		{33 * time.Millisecond, kdfCost{64 << 10, 3, 4}},
		{50 * time.Millisecond, kdfCost{64 << 10, 2, 4}},
		{100 * time.Millisecond, kdfCost{32 << 10, 2, 4}},
		{time.Second, kdfCost{minMemory, minPasses, 4}},
		{time.Hour, kdfCost{minMemory, minPasses, 4}},
	} {
		got := costFor(c.probe)
		if got != c.want || got.check() != nil {
			t.Errorf("%v: %+v, %v; want %+v", c.probe, got, got.check(), c.want)
		}
		// Where no bound is reached, the derivation takes what is wanted.
		took := c.probe * time.Duration(got.memory*got.passes) / time.Duration(probeCost.memory*probeCost.passes)
		if got.passes < maxPasses && got.memory > minMemory && (took < 150*time.Millisecond || took > 250*time.Millisecond) {
			t.Errorf("%v: %+v takes %v", c.probe, got, took)
		}
	}
	if err := costHere().check(); err != nil {
		t.Error(err)
	}
}

// The cost of the moment goes into the header of a new vault, and of an old
// one with a new passphrase.
func TestCostGoesIntoTheHeader(t *testing.T) {
	f, _ := testFile(newDir(t), says("old"))
	cost := kdfCost{memory: minMemory, passes: 3, lanes: 1}
	f.cost = func() kdfCost { return cost }
	mustPut(t, f, KindKey, "k", "secret")
	wantCost := func() {
		t.Helper()
		if _, h, err := f.readHeader(); err != nil || h.kdf != cost {
			t.Errorf("%+v, %v; want %+v", h.kdf, err, cost)
		}
	}
	wantCost()
	cost.passes = 4
	if err := f.ChangePassphrase(context.Background(), says("new").ask); err != nil {
		t.Fatal(err)
	}
	wantCost()
}

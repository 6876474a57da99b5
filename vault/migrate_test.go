package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"groat/vault/accesskey"
)

func memoryWith(t testing.TB, keys ...accesskey.Key) *Memory {
	t.Helper()
	m := NewMemory()
	for i, k := range keys {
		if _, err := PutKey(context.Background(), m, fmt.Sprintf("p%d", i), k, Card{Account: "123456789012", MFASerial: fmt.Sprintf("dev%d", i)}); err != nil {
			t.Fatal(err)
		}
		mustPut(t, m, KindSeed, fmt.Sprintf("dev%d", i), "seed "+k.ID)
	}
	return m
}

func states(moves []Move) []string {
	var s []string
	for _, m := range moves {
		s = append(s, fmt.Sprintf("%s %s %s %v", m.Kind, m.Name, m.State, m.Removed))
	}
	return s
}

func TestMigrate(t *testing.T) {
	ctx := t.Context()
	from, to := memoryWith(t, oldKey, newKey), NewMemory()
	moves, err := Migrate(ctx, from, to, MigrateOptions{DryRun: true, DeleteSource: true})
	if err != nil || !slices.Equal(states(moves), []string{"key p0 would false", "key p1 would false", "seed dev0 would false", "seed dev1 would false"}) {
		t.Fatalf("dry run: %v, %v", states(moves), err)
	}
	if names, _ := to.Names(ctx, KindKey); len(names) != 0 {
		t.Fatalf("a dry run copied %v", names)
	}
	mustPut(t, from, KindSession, "s", "session")
	var copied []string
	o := MigrateOptions{Copied: func(p string) error { copied = append(copied, p); return nil }}
	moves, err = Migrate(ctx, from, to, o)
	if err != nil || !slices.Equal(states(moves), []string{"key p0 copied false", "key p1 copied false", "seed dev0 copied false", "seed dev1 copied false"}) {
		t.Fatalf("%v, %v", states(moves), err)
	}
	card, err := GetCard(ctx, to, "p0")
	if err != nil || card.Account != "123456789012" || card.MFASerial != "dev0" || !slices.Equal(copied, []string{"p0", "p1"}) {
		t.Errorf("card %+v, %v; copied %v", card, err, copied)
	}
	if names, _ := to.Names(ctx, KindSession); len(names) != 0 {
		t.Errorf("sessions were moved: %v", names)
	}
	o.DeleteSource = true
	moves, err = Migrate(ctx, from, to, o)
	if err != nil || !slices.Equal(states(moves), []string{"key p0 there true", "key p1 there true", "seed dev0 there true", "seed dev1 there true"}) {
		t.Fatalf("%v, %v", states(moves), err)
	}
	if names, _ := from.Names(ctx, KindKey); len(names) != 0 {
		t.Errorf("left in the source: %v", names)
	}
}

func TestMigrateConflicts(t *testing.T) {
	ctx := t.Context()
	from, to := memoryWith(t, oldKey), memoryWith(t, newKey)
	o := MigrateOptions{DeleteSource: true}
	moves, err := Migrate(ctx, from, to, o)
	if err != nil || moves[0].State != MoveConflict || !errors.Is(moves[0].Err, ErrExists) || moves[1].State != MoveConflict || moves[0].Removed || moves[1].Removed {
		t.Fatalf("%+v, %v", moves, err)
	}
	if k, err := GetKey(ctx, to, "p0"); err != nil || k.ID != newKey.ID {
		t.Fatalf("%v, %v", k, err)
	}
	twin := newKey
	twin.Secret = "another secret under the same ID"
	if _, err := PutKey(ctx, from, "p0", twin, Card{}); err != nil {
		t.Fatal(err)
	}
	if moves, _ = Migrate(ctx, from, to, o); moves[0].State != MoveConflict || moves[0].Removed {
		t.Fatalf("another secret: %+v", moves)
	}
	o.Overwrite = true
	if moves, err = Migrate(ctx, from, to, o); err != nil || moves[0].State != MoveCopied || !moves[0].Removed {
		t.Fatalf("%+v, %v", moves, err)
	}
	if k, err := GetKey(ctx, to, "p0"); err != nil || k.Secret != twin.Secret {
		t.Fatalf("%v, %v", k, err)
	}
}

func TestMigrateSome(t *testing.T) {
	ctx := t.Context()
	from, to := memoryWith(t, oldKey, newKey), NewMemory()
	if _, err := SetCard(ctx, from, "p1", func(c *Card) { c.MFASerial = "dev0" }); err != nil { // shares the device
		t.Fatal(err)
	}
	moves, err := Migrate(ctx, from, to, MigrateOptions{Profiles: []string{"p0", "missing"}, DeleteSource: true})
	want := []string{"key p0 copied true", "key missing failed false", "seed dev0 copied false"}
	if err != nil || !slices.Equal(states(moves), want) || !errors.Is(moves[1].Err, ErrNotFound) {
		t.Fatalf("%v, %v", states(moves), err)
	}
	mustPut(t, from, KindKey, "damaged", "null") // whose device it has, nobody knows
	mustPut(t, from, KindSeed, "dev0", "seed "+oldKey.ID)
	if _, err := PutKey(ctx, from, "p0", oldKey, Card{MFASerial: "dev0"}); err != nil {
		t.Fatal(err)
	}
	moves, err = Migrate(ctx, from, to, MigrateOptions{Profiles: []string{"p0", "p1"}, DeleteSource: true})
	want = []string{"key p0 there true", "key p1 copied true", "seed dev0 there false"}
	if err != nil || !slices.Equal(states(moves), want) {
		t.Fatalf("beside a damaged key: %v, %v", states(moves), err)
	}
	if _, err := PutKey(ctx, from, "p1", newKey, Card{}); err != nil {
		t.Fatal(err)
	}
	mustPut(t, from, KindJournal, "p1", "half")
	if moves, _ = Migrate(ctx, from, to, MigrateOptions{Profiles: []string{"p1"}}); !errors.Is(moves[0].Err, ErrHalfRotated) {
		t.Fatalf("%+v", moves)
	}
	keep := errors.New("not recorded")
	if err := from.Remove(ctx, KindJournal, "p1"); err != nil {
		t.Fatal(err)
	}
	moves, _ = Migrate(ctx, from, to, MigrateOptions{Profiles: []string{"p1"}, DeleteSource: true, Copied: func(string) error { return keep }})
	if !errors.Is(moves[0].Err, keep) || moves[0].Removed {
		t.Fatalf("%+v", moves)
	}
}

// TestMigrateNeverLoses: whichever call to either vault fails, each key is in
// one of them, whole, and running again finishes.
func TestMigrateNeverLoses(t *testing.T) {
	ctx := t.Context()
	points := 0
	for _, side := range []string{"from", "to"} {
		for n := 0; ; n++ {
			from, to := memoryWith(t, oldKey), NewMemory()
			at := 0
			fail := func(string, Kind, string) error {
				if at++; at > n {
					return errDead
				}
				return nil
			}
			if side == "from" {
				from.Fail = fail
			} else {
				to.Fail = fail
			}
			_, _ = Migrate(ctx, from, to, MigrateOptions{DeleteSource: true})
			from.Fail, to.Fail = nil, nil
			points++
			k, err := GetKey(ctx, from, "p0")
			l, lerr := GetKey(ctx, to, "p0")
			if !(err == nil && k.Secret == oldKey.Secret) && !(lerr == nil && l.Secret == oldKey.Secret) {
				t.Fatalf("%s died at %d: %v, %v", side, n, err, lerr)
			}
			_, err = from.Get(ctx, KindSeed, "dev0")
			if _, lerr := to.Get(ctx, KindSeed, "dev0"); err != nil && lerr != nil {
				t.Fatalf("%s died at %d: the seed is lost", side, n)
			}
			moves, err := Migrate(ctx, from, to, MigrateOptions{DeleteSource: true})
			if l, lerr = GetKey(ctx, to, "p0"); err != nil || lerr != nil || l.Secret != oldKey.Secret {
				t.Fatalf("%s died at %d: again: %+v %v %v", side, n, moves, err, lerr)
			}
			if at <= n {
				break
			}
		}
	}
	t.Logf("migrate: %d kill points, 0 keys lost", points)
}

// A key that somebody stores in the source while its predecessor is being
// copied is not deleted unread.
func TestMigrateKeepsWhatWasReplaced(t *testing.T) {
	ctx := t.Context()
	from, to := memoryWith(t, oldKey), NewMemory()
	o := MigrateOptions{DeleteSource: true, Copied: func(p string) error {
		_, err := PutKey(ctx, from, p, newKey, Card{})
		return err
	}}
	moves, err := Migrate(ctx, from, to, o)
	if err != nil || !errors.Is(moves[0].Err, ErrReplaced) || moves[0].Removed {
		t.Fatalf("%v, %v: %v", states(moves), err, moves[0].Err)
	}
	if k, err := GetKey(ctx, from, "p0"); err != nil || k.ID != newKey.ID {
		t.Errorf("the source holds %v, %v", k, err)
	}
	if k, err := GetKey(ctx, to, "p0"); err != nil || k.ID != oldKey.ID {
		t.Errorf("the destination holds %v, %v", k, err)
	}
}

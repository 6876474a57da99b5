package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"groat/vault/accesskey"
	"groat/vault/files"
)

// Move says what Migrate did, or would do, with one item.
type Move struct {
	Kind    Kind
	Name    string
	KeyID   string // of a key
	State   MoveState
	Removed bool  // from the source
	Err     error // why it could not be moved; the others go on
}

// MoveState is what became of an item.
type MoveState string

// The states of a move.
const (
	MoveCopied   MoveState = "copied"   // and read back equal
	MoveThere    MoveState = "there"    // the same was there already, as after an interrupted run
	MoveWould    MoveState = "would"    // a dry run would copy it
	MoveConflict MoveState = "conflict" // another one is there, and Overwrite is not set
	MoveFailed   MoveState = "failed"   // see Err; the source still has it
)

// ErrExists says that the destination holds another item of the same name.
var ErrExists = errors.New("another one is stored there")

// ErrHalfRotated says that a key is in the midst of being rotated.
var ErrHalfRotated = errors.New("its rotation is not finished")

// MigrateOptions adapt Migrate.
type MigrateOptions struct {
	Profiles  []string // nil = all
	DryRun    bool     // opens and writes nothing
	Overwrite bool     // replace other items of the same name
	// DeleteSource removes each item from the source, after its copy was read
	// back and compared and Copied returned nil.
	DeleteSource bool
	// Put stores a key and its card in the destination; nil: PutKey.
	Put func(ctx context.Context, profile string, key accesskey.Key, card Card) (Card, error)
	// Copied is told of each key that is safe in the destination, before the
	// source's is removed; an error keeps it.
	Copied func(profile string) error
}

// Migrate copies keys, with their cards, and stored TOTP seeds from one
// vault to another: copy, read back, compare, and only then, if asked, delete
// the original. At every moment one of the two vaults holds each item, so
// that an interrupted run is simply run again. Sessions and Identity Center
// tokens are not moved: they are minted anew.
//
// The error is about the run as a whole, and ends it; each item's own is in
// its Move.
func Migrate(ctx context.Context, from, to Vault, o MigrateOptions) ([]Move, error) {
	keys, err := from.Names(ctx, KindKey)
	if err != nil {
		return nil, err
	}
	seeds, err := from.Names(ctx, KindSeed)
	if err != nil {
		return nil, err
	}
	names := keys
	if o.Profiles != nil {
		names = o.Profiles
	}
	var moves []Move
	serials := map[string]bool{}
	for _, name := range names {
		card, m := migrateKey(ctx, from, to, name, o)
		moves = append(moves, m)
		if m.Err == nil && card.MFASerial != "" {
			serials[card.MFASerial] = true
		}
		if err := cmp.Or(ctx.Err(), stops(m.Err)); err != nil {
			return moves, err
		}
	}
	stays := stillNeeded(ctx, from, o, keys, names)
	for _, serial := range seeds {
		if o.Profiles != nil && !serials[serial] {
			continue
		}
		with := o
		with.DeleteSource = o.DeleteSource && !stays(serial)
		m := migrateSeed(ctx, from, to, serial, with)
		moves = append(moves, m)
		if err := cmp.Or(ctx.Err(), stops(m.Err)); err != nil {
			return moves, err
		}
	}
	return moves, nil
}

// stops gives the error that every further item would meet.
func stops(err error) error {
	if err == nil || OfItem(err) || errors.Is(err, ErrExists) || errors.Is(err, ErrReplaced) || errors.Is(err, ErrHalfRotated) {
		return nil
	}
	return err
}

// stillNeeded tells whose seeds the source must keep: those of the devices of
// the keys that stay. Where such a key's card cannot be read, that may be any.
func stillNeeded(ctx context.Context, from Vault, o MigrateOptions, keys, moved []string) func(serial string) bool {
	kept, unsure := map[string]bool{}, false
	for _, name := range keys {
		if !o.DeleteSource || o.DryRun || slices.Contains(moved, name) {
			continue
		}
		card, err := GetCard(ctx, from, name)
		unsure = unsure || err != nil && !errors.Is(err, ErrNotFound)
		kept[card.MFASerial] = true
	}
	return func(serial string) bool { return unsure || kept[serial] }
}

func migrateKey(ctx context.Context, from, to Vault, name string, o MigrateOptions) (Card, Move) {
	m := Move{Kind: KindKey, Name: name, State: MoveFailed}
	card, err := GetCard(ctx, from, name)
	if err != nil {
		m.Err = err
		return card, m
	}
	m.KeyID = card.KeyID
	if _, err := from.Get(ctx, KindJournal, name); err == nil {
		m.Err = fmt.Errorf("%w: finish the rotation of %s first", ErrHalfRotated, files.Word(name))
		return card, m
	} else if !errors.Is(err, ErrNotFound) {
		m.Err = err
		return card, m
	}
	there, err := GetCard(ctx, to, name)
	switch {
	case err == nil && there.KeyID != card.KeyID && !o.Overwrite:
		m.State, m.Err = MoveConflict, fmt.Errorf("%w: access key %s", ErrExists, there.KeyID)
		return card, m
	case err != nil && !errors.Is(err, ErrNotFound) && !(o.Overwrite && errors.Is(err, ErrCorrupt)):
		m.Err = err
		return card, m
	case o.DryRun:
		m.State = MoveWould
		if err == nil && there.KeyID == card.KeyID {
			m.State = MoveThere
		}
		return card, m
	}
	var generation string
	m.State, generation, m.Err = copyKey(ctx, from, to, name, card, o)
	if m.Err == nil && o.Copied != nil {
		m.Err = o.Copied(name)
	}
	if m.Err == nil && o.DeleteSource {
		m.Err = removeKey(ctx, from, name, generation) // not the one that somebody stored there meanwhile
		m.Removed = m.Err == nil
	}
	return card, m
}

// copyKey copies one key and proves the copy by reading it back. It says of
// which generation the key was.
func copyKey(ctx context.Context, from, to Vault, name string, card Card, o MigrateOptions) (state MoveState, generation string, err error) {
	key, err := GetKey(ctx, from, name)
	if err != nil {
		return MoveFailed, "", err
	}
	generation = key.Generation
	same := func() (bool, error) {
		got, err := GetKey(ctx, to, name)
		return err == nil && got.Same(key), err
	}
	if is, err := same(); is {
		_, err = GetCard(ctx, to, name)
		return MoveThere, generation, err
	} else if err == nil && !o.Overwrite {
		return MoveConflict, "", fmt.Errorf("%w: access key %s with another secret", ErrExists, key.ID)
	}
	put := o.Put
	if put == nil {
		put = func(ctx context.Context, name string, key accesskey.Key, card Card) (Card, error) {
			return PutKey(ctx, to, name, key, card)
		}
	}
	if _, err := put(ctx, name, key, card); err != nil {
		return MoveFailed, "", err
	}
	if is, err := same(); !is {
		return MoveFailed, "", errors.Join(because(ErrCorrupt, "the copy is not what was stored"), err)
	}
	return MoveCopied, generation, nil
}

func migrateSeed(ctx context.Context, from, to Vault, serial string, o MigrateOptions) Move {
	m := Move{Kind: KindSeed, Name: serial, State: MoveWould}
	if o.DryRun {
		return m
	}
	m.State, m.Err = copySeed(ctx, from, to, serial, o)
	if m.Err == nil && o.DeleteSource {
		m.Err = from.Remove(ctx, KindSeed, serial)
		m.Removed = m.Err == nil
	}
	return m
}

func copySeed(ctx context.Context, from, to Vault, serial string, o MigrateOptions) (MoveState, error) {
	seed, err := from.Get(ctx, KindSeed, serial)
	if err != nil {
		return MoveFailed, err
	}
	defer clear(seed)
	there, err := to.Get(ctx, KindSeed, serial)
	defer clear(there)
	switch {
	case err == nil && slices.Equal(there, seed):
		return MoveThere, nil
	case err == nil && !o.Overwrite:
		return MoveConflict, fmt.Errorf("%w: another seed", ErrExists)
	case err != nil && !errors.Is(err, ErrNotFound) && !(o.Overwrite && errors.Is(err, ErrCorrupt)):
		return MoveFailed, err
	}
	if err := to.Put(ctx, KindSeed, serial, seed); err != nil {
		return MoveFailed, err
	}
	back, err := to.Get(ctx, KindSeed, serial)
	defer clear(back)
	if err != nil || !slices.Equal(back, seed) {
		return MoveFailed, errors.Join(because(ErrCorrupt, "the copy is not what was stored"), err)
	}
	return MoveCopied, nil
}

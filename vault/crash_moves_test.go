package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"groat/vault/accesskey"
)

// others are the vaults in memory on the other side of a move, one for each
// directory, so that a second try finds what the first one left.
var others sync.Map

func other(f *File) *Memory {
	m, _ := others.LoadOrStore(f.dir, NewMemory())
	return m.(*Memory)
}

// migrateScenarios move a key into and out of a file vault that dies.
var migrateScenarios = []scenario{
	{name: "migrate to the file vault", prepare: witness,
		run: func(ctx context.Context, f *File) error {
			from := other(f)
			if holdsInEither(ctx, from, f, oldKey) != nil {
				if _, err := PutKey(ctx, from, "p", oldKey, Card{}); err != nil {
					return err
				}
			}
			return moved(Migrate(ctx, from, f, MigrateOptions{Profiles: []string{"p"}, DeleteSource: true}))
		},
		before: func(ctx context.Context, f *File) error { return holdsInEither(ctx, other(f), f, oldKey) },
		after:  func(ctx context.Context, f *File) error { return holds(ctx, f, "p", oldKey) }},
	{name: "migrate from the file vault", prepare: withOldKey,
		run: func(ctx context.Context, f *File) error {
			return moved(Migrate(ctx, f, other(f), MigrateOptions{Profiles: []string{"p"}, DeleteSource: true}))
		},
		before: func(ctx context.Context, f *File) error { return holdsInEither(ctx, f, other(f), oldKey) },
		after: func(ctx context.Context, f *File) error {
			return errors.Join(gone(ctx, f, KindKey, "p"), holdsInEither(ctx, other(f), other(f), oldKey))
		}},
}

// moved is nil if the key is where it should go, the second time too, when
// the source has it no more.
func moved(moves []Move, err error) error {
	if err != nil {
		return err
	}
	for _, m := range moves {
		if m.Err != nil && !errors.Is(m.Err, ErrNotFound) {
			return m.Err
		}
	}
	return nil
}

// holdsInEither: a key that is being moved is whole in one vault or the other.
func holdsInEither(ctx context.Context, v, w Vault, key accesskey.Key) error {
	for _, x := range []Vault{v, w} {
		if got, err := GetKey(ctx, x, "p"); err == nil && got.ID == key.ID && got.Secret == key.Secret {
			return nil
		}
	}
	return fmt.Errorf("neither vault holds %s", key.ID)
}

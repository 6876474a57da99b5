package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// strictStore is an itemStore that is as narrow as the narrowest of the real
// ones, in every respect at once: values of 2,560 bytes and no empty ones
// (Credential Manager, kernel keyring), names folded (Credential Manager),
// short, and of few characters (everywhere something else is special).
type strictStore struct {
	limit int

	mu    sync.Mutex
	items map[string]strictItem // by folded name
}

type strictItem struct {
	name  string
	value []byte
}

// OpenStrictStore opens a vault on a new strict store; again gives further
// handles on it.
func OpenStrictStore(stateDir string) (again func() Vault) {
	store := &strictStore{limit: winCredLimit, items: map[string]strictItem{}}
	return func() Vault {
		v := newOSVault(Config{StateDir: stateDir}, "strict", store)
		v.limit = store.limit
		return v
	}
}

func (s *strictStore) check(name string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789._-"
	if name == "" || len(name) > 200 || strings.Trim(name, allowed) != "" || strings.HasSuffix(name, ".") || strings.HasPrefix(name, "-") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("malformed name %q", name)
	}
	return nil
}

func (s *strictStore) get(ctx context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.check(name)); err != nil {
		return nil, err
	}
	item, ok := s.items[strings.ToLower(name)]
	if !ok {
		return nil, ErrNotFound
	}
	return bytes.Clone(item.value), nil
}

func (s *strictStore) put(ctx context.Context, name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.check(name)); err != nil {
		return err
	}
	if len(value) == 0 || len(value) > s.limit {
		return fmt.Errorf("value of %d bytes", len(value))
	}
	s.items[strings.ToLower(name)] = strictItem{name, bytes.Clone(value)}
	return nil
}

func (s *strictStore) remove(ctx context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := errors.Join(ctx.Err(), s.check(name)); err != nil {
		return err
	}
	if _, ok := s.items[strings.ToLower(name)]; !ok {
		return ErrNotFound
	}
	delete(s.items, strings.ToLower(name))
	return nil
}

func (s *strictStore) names(ctx context.Context, _ Kind) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{"Foreign", "key.", "card.UPPER"} // as other programs would name theirs
	for _, item := range s.items {
		names = append(names, item.name)
	}
	return names, ctx.Err()
}

func (s *strictStore) close() error { return nil }

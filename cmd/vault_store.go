package cmd

import (
	"context"
	"errors"
	"fmt"

	"groat/session"
	"groat/session/flight"
	"groat/vault"
)

// sessions is the cache over a vault, for looking and dropping.
func (v *vaults) sessions(in vault.Vault) *session.Cache {
	return &session.Cache{Store: sessionStore(in), Flight: flight.Group{Dir: v.LockDir(in)}, Now: v.now, Warn: v.warn, Debugf: v.debugf}
}

// sessionStore is the vault's session namespace.
func sessionStore(v vault.Vault) itemStore { return itemStore{v, vault.KindSession} }

// itemStore is one namespace of the vault as package session sees it.
type itemStore struct {
	v    vault.Vault
	kind vault.Kind
}

// Get reads one item by its exact name. One that does not open is lost, not a
// failure: what it held can be had anew.
func (s itemStore) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.v.Get(ctx, s.kind, name)
	if vault.OfItem(err) && !errors.Is(err, vault.ErrNotFound) {
		err = fmt.Errorf("%w: %w", session.ErrDamaged, err)
	}
	return data, notFound(err)
}

// Put stores one item.
func (s itemStore) Put(ctx context.Context, name string, data []byte) error {
	return s.v.Put(ctx, s.kind, name, data)
}

// Remove deletes one item.
func (s itemStore) Remove(ctx context.Context, name string) error {
	return notFound(s.v.Remove(ctx, s.kind, name))
}

// RemoveAll deletes many items.
func (s itemStore) RemoveAll(ctx context.Context, names []string) (int, error) {
	return vault.RemoveAll(ctx, s.v, s.kind, names)
}

// Names lists all items.
func (s itemStore) Names(ctx context.Context) ([]string, error) {
	return s.v.Names(ctx, s.kind)
}

func notFound(err error) error {
	if errors.Is(err, vault.ErrNotFound) {
		return session.ErrNotFound
	}
	return err
}

package vault

import (
	"context"
	"errors"
	"slices"
)

// Vaults are all in which keys may be: the named one alone, else what "auto"
// finds, first, and every recorded one. Those that cannot be opened are
// reported and left out.
func (r *Registry) Vaults() ([]Vault, error) {
	first, err := r.Default()
	if err != nil {
		return nil, err
	}
	all := []Vault{first}
	if r.Backend != auto {
		return all, nil
	}
	keys, err := r.Recorded()
	if err != nil {
		return nil, err
	}
	for _, backend := range backendsOf(keys) {
		if backend == first.Backend() {
			continue
		}
		v, err := r.Open(backend)
		if err != nil {
			r.Warn(err.Error())
			continue
		}
		all = append(all, v)
	}
	return all, nil
}

// Stock is what a look into all vaults has found.
type Stock struct {
	Backend string  // of the first vault
	Vaults  []Vault // that could be looked into
	// Lost is why others could not be, or an item could not: it hides nothing
	// of what is here.
	Lost error
	// Holders are the vaults of each profile that holds a key: first the one
	// that serves it, then those with a copy that was left behind.
	Holders map[string][]Vault
	Cards   map[string]Card // by profile; read by AllCards alone
}

// All lists who holds keys. Names are no secret: nothing is opened.
func (r *Registry) All(ctx context.Context) (*Stock, error) {
	return r.survey(func(s *Stock, v Vault, serves func(string) bool) error {
		names, err := v.Names(ctx, KindKey)
		for _, name := range names {
			s.hold(name, v, serves(name))
		}
		return err
	})
}

// AllCards reads the card of every key.
func (r *Registry) AllCards(ctx context.Context) (*Stock, error) {
	return r.survey(func(s *Stock, v Vault, serves func(string) bool) error {
		cards, err := Keys(ctx, v)
		for _, card := range cards {
			if s.hold(card.Profile, v, serves(card.Profile)) {
				s.Cards[card.Profile] = card
			}
		}
		if OfItem(err) {
			s.Lost, err = errors.Join(s.Lost, err), nil
		}
		return err
	})
}

// hold notes that a vault holds a profile's key, and says whether it is the
// one that serves it, as far as is known.
func (s *Stock) hold(profile string, v Vault, serves bool) bool {
	at := len(s.Holders[profile])
	if serves {
		at = 0
	}
	s.Holders[profile] = slices.Insert(s.Holders[profile], at, v)
	return at == 0
}

// survey looks into each vault. One that is out of reach (no bus over SSH, a
// declined passphrase) hides nothing of the others; a single one's error is
// the answer.
func (r *Registry) survey(look func(s *Stock, v Vault, serves func(profile string) bool) error) (*Stock, error) {
	vaults, err := r.Vaults()
	if err != nil {
		return nil, err
	}
	var keys map[string]string // with a named backend nobody has to know
	if r.Backend == auto {
		if keys, err = r.Recorded(); err != nil {
			return nil, err
		}
	}
	s := &Stock{Backend: vaults[0].Backend(), Holders: map[string][]Vault{}, Cards: map[string]Card{}}
	for _, v := range vaults {
		err := look(s, v, func(profile string) bool { return keys[profile] == v.Backend() })
		switch {
		case err == nil:
			s.Vaults = append(s.Vaults, v)
		case len(vaults) > 1 && (errors.Is(err, ErrUnavailable) || errors.Is(err, ErrLocked) || errors.Is(err, ErrPassphrase)):
			s.Lost = errors.Join(s.Lost, err)
		default:
			return nil, err
		}
	}
	if len(s.Vaults) == 0 {
		return nil, s.Lost
	}
	return s, nil
}

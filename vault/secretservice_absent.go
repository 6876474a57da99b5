//go:build linux

package vault

import (
	"context"

	"github.com/godbus/dbus/v5"
)

// expectAbsent looks for a profile's card and its key together: the two share
// an attribute.
func (s *secretService) expectAbsent(ctx context.Context, profile string) error {
	if IsHashed(KindCard, profile) {
		return nil
	}
	b, err := s.connect(ctx)
	if err != nil {
		return err
	}
	attributes := map[string]string{ssAttrName: ssAttributes(EncodeName(KindCard, profile))[ssAttrName]}
	s.callAhead(b, attributes)
	found, err := s.search(ctx, b, attributes)
	b.takeEarly(s.askLocked()) // where nobody wanted it: a lock is never judged by an old answer
	if err == nil && len(found) == 0 {
		return ErrNotFound
	}
	return err
}

// callAhead sends the search and what follows when it finds nothing, as for
// most roles' profiles: whether a lock hides something, asked after the search
// so that a lock that comes in between is seen, and the session in which the
// card and the credentials of the profile that has a key are read.
func (s *secretService) callAhead(b *bus, attributes map[string]string) {
	_, known := s.state()
	s.mu.Lock()
	open := s.session != ""
	s.mu.Unlock()
	if known || open || s.noInput { // nothing may be searched before the lock is known
		return
	}
	b.ahead(
		request{ssName, ssPath, ssService + ".SearchItems", []any{attributes}},
		s.askLocked(),
		request{ssName, ssPath, ssService + ".OpenSession", []any{"plain", dbus.MakeVariant("")}},
	)
}

func (s *secretService) askLocked() request {
	collection, _ := s.state()
	return request{ssName, collection, getProperty, []any{ssCollection, "Locked"}}
}

//go:build linux

package vault

import (
	"context"
	"strings"

	"github.com/godbus/dbus/v5"
)

// expectAbsent spares a call where a role's profile is asked for a key of its
// own, as every command does: it has none, says the record, so that its card
// and its key are looked for together. ErrNotFound when there is neither; the
// key is then what the next call will ask for. Nil decides nothing.
func (s *secretService) expectAbsent(ctx context.Context, b *bus, name string) error {
	kind, profile, hashed, ok := DecodeName(name)
	if !ok || hashed || kind != KindCard {
		return nil
	}
	if recorded, err := Recorded(s.stateDir, profile); recorded != "" || err != nil {
		return nil
	}
	_, body, _ := strings.Cut(name, ".")
	attributes := map[string]string{ssAttrName: body}
	s.callAhead(b, attributes)
	found, err := s.search(ctx, b, attributes)
	b.takeEarly(s.askLocked()) // where nobody wanted it: a lock is never judged by an old answer
	if err != nil || len(found) > 0 {
		return err
	}
	s.mu.Lock()
	s.absent = EncodeName(KindKey, profile)
	s.mu.Unlock()
	return ErrNotFound
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
	if known || open {
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

// takeAbsent gives what the call before this one found missing by the way.
// It is asked at the start of every call, so that it is never older.
func (s *secretService) takeAbsent() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := s.absent
	s.absent = ""
	return name
}

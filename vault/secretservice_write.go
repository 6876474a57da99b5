//go:build linux

package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"
)

// put replaces the item of this name, in the keyring library's layout.
func (s *secretService) put(ctx context.Context, name string, value []byte) error {
	b, err := s.connect(ctx)
	if err != nil {
		return err
	}
	secret, err := json.Marshal(keyringItem{Key: name, Data: value})
	if err != nil {
		return fmt.Errorf("could not encode the item: %w", err)
	}
	// A service may store it at another path: no reader is to find the old one,
	// not even if we die in between.
	s.hints.drop(name)
	s.mu.Lock()
	s.written = name
	s.mu.Unlock()
	return s.create(ctx, b, name, secret)
}

// ssAttributes are the attributes of the item of an encoded name.
func ssAttributes(name string) map[string]string {
	kind, rest, _ := strings.Cut(name, ".")
	return map[string]string{ssAttrItem: name, ssAttrKind: kind, ssAttrName: rest}
}

func (s *secretService) create(ctx context.Context, b *bus, name string, secret []byte) error {
	if err := s.ready(ctx, b); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		session, err := s.openSession(ctx, b)
		if err != nil {
			return s.explain(err)
		}
		properties := map[string]dbus.Variant{
			ssItem + ".Label":      dbus.MakeVariant(name),
			ssItem + ".Attributes": dbus.MakeVariant(ssAttributes(name)),
		}
		collection, _ := s.state()
		body, err := b.ask(ctx, ssName, collection, ssCollection+".CreateItem", properties,
			ssSecret{Session: session, Parameters: []byte{}, Value: secret, ContentType: "application/json"}, true)
		switch {
		case err == nil:
			var item, prompt dbus.ObjectPath
			if err := store(body, &item, &prompt); err != nil {
				return err
			}
			_, err := s.prompt(ctx, b, prompt)
			return err
		case attempt > 1:
			return s.explain(err)
		case busFault(err, ssErrSession):
			s.mu.Lock()
			s.session = ""
			s.mu.Unlock()
		case busFault(err, ssErrLocked):
			if err := s.unlock(ctx, b, []dbus.ObjectPath{collection}); err != nil {
				return err
			}
		default:
			return s.explain(err)
		}
	}
}

// remove deletes every item of this name (one, unless others wrote beside us).
func (s *secretService) remove(ctx context.Context, name string) error {
	b, err := s.connect(ctx)
	if err != nil {
		return err
	}
	items, err := s.search(ctx, b, map[string]string{ssAttrItem: name})
	if err != nil {
		return err
	}
	defer s.hints.drop(name)
	if len(items) == 0 {
		return ErrNotFound
	}
	for _, item := range items {
		body, err := b.ask(ctx, ssName, item, ssItem+".Delete")
		if isNoObject(err) {
			continue // somebody was quicker
		}
		if err != nil {
			return s.explain(err)
		}
		var prompt dbus.ObjectPath
		if err := store(body, &prompt); err != nil {
			return err
		}
		if _, err := s.prompt(ctx, b, prompt); err != nil {
			return err
		}
	}
	return nil
}

// names lists a kind by its attribute (one call) and reads the labels, which
// are the names, many at once. No secret is opened.
func (s *secretService) names(ctx context.Context, kind Kind) ([]string, error) {
	b, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	items, err := s.search(ctx, b, map[string]string{ssAttrKind: string(kind)})
	if err != nil {
		return nil, err
	}
	labels, err := b.properties(ctx, ssName, items, ssItem, "Label")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(labels))
	for _, l := range labels {
		if name, ok := l.(string); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

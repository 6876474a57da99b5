//go:build linux

package vault

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
)

// Names of the Secret Service API, draft 0.2
// (https://specifications.freedesktop.org/secret-service-spec/).
const (
	ssName       = "org.freedesktop.secrets"
	ssPath       = dbus.ObjectPath("/org/freedesktop/secrets")
	ssService    = "org.freedesktop.Secret.Service"
	ssCollection = "org.freedesktop.Secret.Collection"
	ssItem       = "org.freedesktop.Secret.Item"
	ssPrompt     = "org.freedesktop.Secret.Prompt"
	ssErrLocked  = "org.freedesktop.Secret.Error.IsLocked"
	ssErrSession = "org.freedesktop.Secret.Error.NoSession"
	ssErrObject  = "org.freedesktop.Secret.Error.NoSuchObject"
)

// Attributes of our items. The keyring library searches by the first one
// alone. The others let us list a kind, and see that nothing of any kind has a
// name, with one call each.
const (
	ssAttrItem = "profile"    // encoded name: "key.prod"
	ssAttrKind = "groat"      // "key"
	ssAttrName = "groat-name" // what follows the kind: "prod"
)

// ssSecret is the API's Secret structure (oayays).
type ssSecret struct {
	Session     dbus.ObjectPath
	Parameters  []byte
	Value       []byte
	ContentType string
}

// secretService keeps items in one collection of the Secret Service, by the
// shortest road: one search and one read by exact name, or the read alone where
// a hint says which object it is; the keyring library lists collections and
// opens a session for each. The stored layout is
// the library's: it can read every item of ours.
//
// Secrets travel over the user's own session bus in a "plain" session: who
// could read along there can ask the service itself.
type secretService struct {
	environ []string
	noInput bool
	timeout time.Duration // Config.Timeout
	name    string        // of the collection
	named   bool          // by somebody: another one will not do
	hints   ssHints

	mu         sync.Mutex
	bus        *bus
	session    dbus.ObjectPath // "" until a secret travels
	collection dbus.ObjectPath // by the name alone, or as the service says
	unlockedAt time.Time       // when it was last seen unlocked
	written    string          // encoded name of the last put, which only a search proves
}

// ssSeen is how long the collection counts as unlocked once it was seen so:
// long enough for the reads of one command, too short for a screen lock to
// hide items from a server that runs all day.
const ssSeen = 2 * time.Second

func newSecretService(cfg Config) (*secretService, error) {
	name := cfg.SecretServiceCollection
	named := name != ""
	if !named {
		name = "login"
	}
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		// The bus would drop the whole connection.
		return nil, because(ErrUnavailable, "the name of the collection is not valid UTF-8")
	}
	return &secretService{environ: cfg.Environ, noInput: cfg.NoInput, timeout: cfg.timeout(), name: name, named: named,
		hints: ssHints{cfg.under(hintDir)}, collection: ssCollectionPath(name)}, nil
}

// connect dials the bus once.
func (s *secretService) connect(ctx context.Context) (*bus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bus != nil {
		if s.bus.conn.Connected() {
			return s.bus, nil
		}
		_ = s.bus.close() // hung up: the service may be another one by now
		s.bus, s.session, s.unlockedAt = nil, "", time.Time{}
	}
	b, err := dialBus(ctx, s.environ, s.timeout)
	if err != nil {
		return nil, err
	}
	s.bus = b
	return b, nil
}

// openSession opens the session in which secrets travel, once per connection.
func (s *secretService) openSession(ctx context.Context, b *bus) (dbus.ObjectPath, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session != "" {
		return s.session, nil
	}
	body, err := b.ask(ctx, ssName, ssPath, ssService+".OpenSession", "plain", dbus.MakeVariant(""))
	if err != nil {
		return "", err
	}
	var output dbus.Variant
	var session dbus.ObjectPath
	if err := store(body, &output, &session); err != nil {
		return "", err
	}
	s.session = session
	return session, nil
}

func (s *secretService) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bus == nil {
		return nil
	}
	err := s.bus.close()
	s.bus, s.session = nil, ""
	return err
}

func (s *secretService) get(ctx context.Context, name string) ([]byte, error) {
	b, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	if !s.takeWritten(name) {
		if value, ok, err := s.guess(ctx, b, name); ok || err != nil {
			return value, err
		}
	}
	value, err := s.seek(ctx, b, name)
	if errors.Is(err, ErrNotFound) {
		s.hints.drop(name)
	}
	return value, err
}

// seek reads an item by search, and leaves a hint for the next time.
func (s *secretService) seek(ctx context.Context, b *bus, name string) ([]byte, error) {
	found, err := s.search(ctx, b, map[string]string{ssAttrItem: name})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	secret, err := s.secret(ctx, b, found[0])
	if err != nil {
		return nil, err
	}
	var stored keyringItem
	if err := json.Unmarshal(secret, &stored); err != nil {
		return nil, because(ErrCorrupt, "groat did not write it") // the cause may quote the secret
	}
	s.learn(ctx, b, name, found[0], len(found) == 1, stored.Data)
	return stored.Data, nil
}

// takeWritten tells, once, whether this name was put last: what was put is
// proved by being found.
func (s *secretService) takeWritten(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written != name {
		return false
	}
	s.written = ""
	return true
}

// search gives our collection's items with these attributes, unlocked. What
// a locked collection hides is never taken for missing: it is unlocked, or
// the error wraps ErrLocked.
func (s *secretService) search(ctx context.Context, b *bus, attributes map[string]string) ([]dbus.ObjectPath, error) {
	if _, known := s.state(); s.noInput && !known {
		// KeePassXC puts up its dialog when it is searched while locked.
		if _, err := s.settle(ctx, b); err != nil {
			return nil, err
		}
	}
	for {
		collection, known := s.state()
		body, err := b.ask(ctx, ssName, ssPath, ssService+".SearchItems", attributes)
		if err != nil {
			return nil, s.explain(err)
		}
		var unlocked, locked []dbus.ObjectPath
		if err := store(body, &unlocked, &locked); err != nil {
			return nil, err
		}
		unlocked, locked = within(collection, unlocked), within(collection, locked)
		if len(unlocked) > 0 {
			s.sawUnlocked()
			return unlocked, nil
		}
		if len(locked) == 0 {
			if known {
				return nil, nil
			}
			again, err := s.settle(ctx, b)
			if err != nil || !again {
				return nil, err
			}
			continue
		}
		// Some services lock single items.
		if err := s.unlock(ctx, b, append(locked, collection)); err != nil {
			return nil, err
		}
		return locked, nil
	}
}

// secret reads one item's secret, which is unlocked first where it has to be.
func (s *secretService) secret(ctx context.Context, b *bus, item dbus.ObjectPath) ([]byte, error) {
	secret, err := s.readSecret(ctx, b, item)
	if busFault(err, ssErrLocked) {
		if err := s.unlock(ctx, b, []dbus.ObjectPath{item}); err != nil {
			return nil, err
		}
		secret, err = s.readSecret(ctx, b, item)
	}
	return secret, s.explain(err)
}

// readSecret reads what is at a path, and unlocks nothing. ErrNotFound: it is
// nothing, any more.
func (s *secretService) readSecret(ctx context.Context, b *bus, item dbus.ObjectPath) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		session, err := s.openSession(ctx, b)
		if err != nil {
			return nil, s.explain(err)
		}
		body, err := b.ask(ctx, ssName, item, ssItem+".GetSecret", session)
		if err == nil {
			var secret ssSecret
			err = store(body, &secret)
			return secret.Value, err
		}
		if isNoObject(err) {
			return nil, ErrNotFound
		}
		if attempt > 1 || !busFault(err, ssErrSession) {
			return nil, err
		}
		s.mu.Lock()
		s.session = "" // the service was restarted meanwhile
		s.mu.Unlock()
	}
}

// within keeps the items of one collection.
func within(collection dbus.ObjectPath, items []dbus.ObjectPath) []dbus.ObjectPath {
	kept := items[:0]
	for _, i := range items {
		if strings.HasPrefix(string(i), string(collection)+"/") {
			kept = append(kept, i)
		}
	}
	return kept
}

// explain adds what to do.
func (s *secretService) explain(err error) error {
	switch {
	case busFault(err, ssErrLocked):
		return because(ErrLocked, "%w", err)
	case busFault(err, "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"),
		strings.HasPrefix(faultName(err), "org.freedesktop.DBus.Error.Spawn"):
		return absent{because(ErrUnavailable, "no Secret Service (GNOME Keyring, KeePassXC, KWallet) runs on the session bus")}
	}
	return err
}

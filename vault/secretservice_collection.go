//go:build linux

package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// ssCollectionPath is where services put the collection of a name: letters
// and digits as they are, other bytes as '_' and two hex digits.
func ssCollectionPath(name string) dbus.ObjectPath {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return ssPath + dbus.ObjectPath("/collection/"+b.String())
}

func (s *secretService) state() (collection dbus.ObjectPath, unlocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.collection, time.Since(s.unlockedAt) < ssSeen
}

func (s *secretService) sawUnlocked() {
	s.mu.Lock()
	s.unlockedAt = time.Now()
	s.mu.Unlock()
}

// settle makes sure that nothing hides: the collection exists under the path
// that is searched, and is unlocked. again tells that searching anew may find
// more than before.
func (s *secretService) settle(ctx context.Context, b *bus) (again bool, err error) {
	path, _ := s.state()
	locked, err := s.locked(ctx, b, path)
	if isNoObject(err) {
		path, err = s.resolve(ctx, b)
		if err != nil || path == "" {
			return false, err // there is none yet: nothing is in it
		}
		again = true
		locked, err = s.locked(ctx, b, path)
	}
	if err != nil {
		return false, s.explain(err)
	}
	if locked {
		return true, s.unlock(ctx, b, []dbus.ObjectPath{path})
	}
	s.sawUnlocked()
	return again, nil
}

func (s *secretService) locked(ctx context.Context, b *bus, collection dbus.ObjectPath) (locked bool, err error) {
	err = b.property(ctx, ssName, collection, ssCollection, "Locked", &locked)
	return locked, err
}

// resolve asks the service for the collection: by alias, then by label, which
// need not be what the path was made from. Where nobody named one, the alias
// "default" will do: KeePassXC and KWallet have no collection "login". "" means
// that there is none; a named one that is missing is an error, or what is in
// another one would seem to be lost.
func (s *secretService) resolve(ctx context.Context, b *bus) (dbus.ObjectPath, error) {
	path, err := s.alias(ctx, b, s.name)
	if err != nil {
		return "", err
	}
	if path == "" {
		for p, label := range s.collections(ctx, b) {
			if label == s.name {
				path = p
			}
		}
	}
	if path == "" && s.named {
		return "", withRemedy(because(ErrUnavailable, "the Secret Service has no collection %q", s.name),
			"create the collection in a desktop session, or name another with --secret-service-collection"+s.others(ctx, b))
	}
	if path == "" {
		if path, err = s.alias(ctx, b, "default"); err != nil {
			return "", err
		}
	}
	if path != "" {
		s.mu.Lock()
		s.collection = path
		s.mu.Unlock()
	}
	return path, nil
}

// alias gives the collection of an alias; "" where there is none.
func (s *secretService) alias(ctx context.Context, b *bus, name string) (dbus.ObjectPath, error) {
	body, err := b.ask(ctx, ssName, ssPath, ssService+".ReadAlias", name)
	var path dbus.ObjectPath
	if err == nil {
		err = store(body, &path)
	}
	if err != nil {
		return "", s.explain(err)
	}
	if path == "/" {
		path = ""
	}
	return path, nil
}

// collections gives the labels of all collections, as far as they can be had.
func (s *secretService) collections(ctx context.Context, b *bus) map[dbus.ObjectPath]string {
	var paths []dbus.ObjectPath
	if b.property(ctx, ssName, ssPath, ssService, "Collections", &paths) != nil {
		return nil
	}
	labels := map[dbus.ObjectPath]string{}
	for _, p := range paths {
		var label string
		if b.property(ctx, ssName, p, ssCollection, "Label", &label) == nil {
			labels[p] = label
		}
	}
	return labels
}

// ready makes sure that the collection exists and is unlocked.
func (s *secretService) ready(ctx context.Context, b *bus) error {
	if _, known := s.state(); known {
		return nil
	}
	path, _ := s.state()
	locked, err := s.locked(ctx, b, path)
	if isNoObject(err) {
		path, err = s.resolve(ctx, b)
		if err == nil && path == "" {
			return s.createCollection(ctx, b)
		}
		if err == nil {
			locked, err = s.locked(ctx, b, path)
		}
	}
	if err != nil {
		return s.explain(err)
	}
	if locked {
		return s.unlock(ctx, b, []dbus.ObjectPath{path})
	}
	s.sawUnlocked()
	return nil
}

// createCollection asks the service for a new collection; services ask for
// its password in a dialog, which fails at once or never ends where nobody
// can see it.
func (s *secretService) createCollection(ctx context.Context, b *bus) error {
	missing := func(err error) error {
		return withRemedy(because(ErrUnavailable, "the Secret Service has no collection %q and made none: %w", s.name, err),
			"create the collection in a desktop session, or name another with --secret-service-collection"+s.others(ctx, b))
	}
	if s.noInput {
		return missing(mayNotAsk("its password dialog would ask"))
	}
	if !hasDisplay(s.environ) {
		return missing(errors.New("no display for its password dialog"))
	}
	properties := map[string]dbus.Variant{ssCollection + ".Label": dbus.MakeVariant(s.name)}
	body, err := b.ask(ctx, ssName, ssPath, ssService+".CreateCollection", properties, "default")
	if err != nil {
		return missing(err)
	}
	var path, prompt dbus.ObjectPath
	if err := store(body, &path, &prompt); err != nil {
		return err
	}
	result, err := s.prompt(ctx, b, prompt)
	if err != nil {
		return missing(err)
	}
	if path == "/" || path == "" {
		path, _ = result.Value().(dbus.ObjectPath)
	}
	if path == "/" || path == "" {
		return missing(errors.New("it named no collection"))
	}
	s.mu.Lock()
	s.collection = path
	s.mu.Unlock()
	s.sawUnlocked()
	return nil
}

// others names the collections that exist, for a remedy.
func (s *secretService) others(ctx context.Context, b *bus) string {
	list := ""
	for _, label := range s.collections(ctx, b) {
		if label != "" {
			list += ", " + label
		}
	}
	if list == "" {
		return ""
	}
	return " (there are: " + list[2:] + ")"
}

// unlock unlocks collections or items, with the service's dialog where it
// wants one. ErrLocked when nobody answered it within Config.Timeout.
func (s *secretService) unlock(ctx context.Context, b *bus, objects []dbus.ObjectPath) error {
	body, err := b.ask(ctx, ssName, ssPath, ssService+".Unlock", objects)
	if err != nil {
		return s.explain(err)
	}
	var unlocked []dbus.ObjectPath
	var prompt dbus.ObjectPath
	if err := store(body, &unlocked, &prompt); err != nil {
		return err
	}
	if _, err := s.prompt(ctx, b, prompt); err != nil {
		return err
	}
	if len(unlocked) == 0 && (prompt == "/" || prompt == "") {
		return because(ErrLocked, "the Secret Service did not unlock it")
	}
	s.sawUnlocked()
	return nil
}

// prompt lets the service ask whom it wants to ask, and waits for the end.
func (s *secretService) prompt(ctx context.Context, b *bus, path dbus.ObjectPath) (dbus.Variant, error) {
	if path == "/" || path == "" {
		return dbus.Variant{}, nil
	}
	if s.noInput {
		b.conn.Object(ssName, path).Go(ssPrompt+".Dismiss", dbus.FlagNoReplyExpected, nil)
		return dbus.Variant{}, mayNotAsk("the Secret Service wants to show a dialog")
	}
	const remedy = "unlock the keyring in a desktop session, or choose another backend with --backend"
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	signals := make(chan *dbus.Signal, 16)
	b.conn.Signal(signals)
	defer b.conn.RemoveSignal(signals)
	rule := []dbus.MatchOption{dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(ssPrompt)}
	if err := b.conn.AddMatchSignalContext(ctx, rule...); err != nil {
		return dbus.Variant{}, busError(ctx, err, ssName)
	}
	if _, err := b.wait(ctx, ssName, path, ssPrompt+".Prompt", ""); err != nil {
		return dbus.Variant{}, withRemedy(because(ErrLocked, "the dialog that unlocks it could not be shown: %w", err), remedy)
	}
	for {
		select {
		case signal, open := <-signals:
			if !open {
				return dbus.Variant{}, because(ErrUnavailable, "the session bus hung up")
			}
			if signal.Path != path || signal.Name != ssPrompt+".Completed" {
				continue
			}
			var dismissed bool
			var result dbus.Variant
			if err := store(signal.Body, &dismissed, &result); err != nil {
				return dbus.Variant{}, err
			}
			if dismissed {
				return dbus.Variant{}, withRemedy(because(ErrLocked, "the dialog that unlocks it was dismissed, or nobody could see it"), remedy)
			}
			return result, nil
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return dbus.Variant{}, context.Canceled
			}
			b.conn.Object(ssName, path).Go(ssPrompt+".Dismiss", dbus.FlagNoReplyExpected, nil)
			return dbus.Variant{}, withRemedy(because(ErrLocked, "nobody answered the dialog that unlocks it within %v", s.timeout), remedy)
		}
	}
}

// canAsk reports whether a dialog may be put up, and could be seen.
func (s *secretService) canAsk() bool { return !s.noInput && hasDisplay(s.environ) }

// probe reports why a first use would fail: nobody on the bus, no collection
// and no way to make one, or a lock that nobody could open.
func (s *secretService) probe(ctx context.Context) error {
	b, err := s.connect(ctx)
	if err != nil {
		return err
	}
	path, _ := s.state()
	locked, err := s.locked(ctx, b, path)
	if isNoObject(err) {
		if path, err = s.resolve(ctx, b); err == nil && path != "" {
			locked, err = s.locked(ctx, b, path)
		}
	}
	switch {
	case err != nil:
		return s.explain(err)
	case path == "" && !s.canAsk():
		return because(ErrUnavailable, "the Secret Service has no collection %q", s.name)
	case locked && !s.canAsk():
		return because(ErrLocked, "the collection %q is locked, and there is no way to ask for its password", s.name)
	case path != "" && !locked:
		s.sawUnlocked()
	}
	return nil
}

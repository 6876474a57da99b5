package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
)

// auto is the backend that is chosen and not named.
const auto = "auto"

// Registry knows which vault holds whose key. A named backend holds them all.
// Under "auto" a key is where the record says that it was put, and what was
// never recorded is looked for where other keys are. It opens each backend
// once, and remembers nothing else: every answer is as fresh as its question.
type Registry struct {
	// Backend is "auto", or the one that somebody named.
	Backend string
	// StateDir is that of every Config: it holds the record.
	StateDir string
	// Configure says how a backend is opened.
	Configure func(backend string) (Config, error)
	// Exists reports whether a name is that of a profile, key or not. A name
	// that is neither a profile's nor on record is mostly a slip of the finger,
	// for which no daemon is waited for. Nil: any name may be a profile's.
	Exists func(profile string) bool
	Warn   func(msg string) // receives one line without secrets
	Debugf func(format string, args ...any)

	mu         sync.Mutex
	vaults     map[string]Vault // by name, "auto" included
	passedOver string           // why "auto" passes stores over, until somebody was told
}

// Found is where a profile's key is, and its card.
type Found struct {
	Vault Vault
	Card  Card
}

// Open opens a backend once; most of them do nothing before their first call.
func (r *Registry) Open(backend string) (Vault, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.vaults[backend]; ok {
		return v, nil
	}
	c, err := r.Configure(backend)
	if err != nil {
		return nil, err
	}
	c.PassedOver = r.keepPassedOver
	v, err := Open(c)
	if err != nil {
		return nil, err
	}
	r.debugf("vault backend %s", v.Backend())
	r.use(backend, v)
	return v, nil
}

// Use has a vault that is open already stand for a backend.
func (r *Registry) Use(backend string, v Vault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.use(backend, v)
}

func (r *Registry) use(backend string, v Vault) {
	if r.vaults == nil {
		r.vaults = map[string]Vault{}
	}
	r.vaults[backend], r.vaults[v.Backend()] = v, v
}

// Close closes what was opened. It may be called again.
func (r *Registry) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range r.vaults {
		_ = v.Close()
	}
}

// Default is the vault of what belongs to no key, and of keys that are not
// recorded.
func (r *Registry) Default() (Vault, error) { return r.Open(r.Backend) }

// Place is the vault in which a profile's key is put: a recorded backend
// counts as named.
func (r *Registry) Place(profile string) (Vault, error) {
	backend := r.Backend
	if backend == auto {
		keys, err := r.Recorded()
		if err != nil {
			return nil, err
		}
		backend = cmp.Or(keys[profile], backend)
	}
	return r.Open(backend)
}

// expecter is a vault, or the store in one, that can tell at once that a
// profile has neither a card nor a key, as most roles' profiles: the error
// then wraps ErrNotFound. Nil decides nothing.
type expecter interface {
	expectAbsent(ctx context.Context, profile string) error
}

// Find looks for the key that is stored under exactly this name, and reads its
// card. The error wraps ErrNotFound where there is none. Where keys are on
// record "auto" probes nothing.
func (r *Registry) Find(ctx context.Context, profile string) (Found, error) {
	record := sync.OnceValues(r.Recorded)
	backends := []string{r.Backend}
	if r.Backend == auto {
		keys, err := record()
		switch {
		case err != nil:
			return Found{}, err
		case keys[profile] != "":
			backends = []string{keys[profile]}
		case len(keys) > 0:
			backends = backendsOf(keys)
		}
	}
	unheard := func() bool {
		if r.Exists == nil || r.Exists(profile) {
			return false
		}
		keys, err := record()
		return err == nil && keys[profile] == ""
	}
	for _, backend := range backends {
		if ByDaemon(backend) && unheard() {
			if keys, _ := record(); slices.Contains(backendsOf(keys), backend) && r.glance(ctx, backend, profile) != nil {
				continue
			}
		}
		found, err := r.findIn(ctx, backend, profile, record)
		switch {
		case err == nil:
			return found, nil
		case errors.Is(err, ErrUnavailable) && (len(backends) > 1 || unheard()):
			// That a store is out of reach (no bus over SSH) must not fail the
			// keys of others, nor make a mistyped name anything else than that.
			r.debugf("not looked for a key of %q: %v", profile, err)
		case !errors.Is(err, ErrNotFound):
			return Found{}, err
		}
	}
	return Found{}, ErrNotFound
}

// glance finds a key that was stored without being recorded, by another groat
// or before the record was lost: no error, if it is there. For a name that is
// probably mistyped nobody is asked anything, and no daemon is waited for.
func (r *Registry) glance(ctx context.Context, backend, profile string) error {
	c, err := r.Configure(backend)
	if err != nil {
		return err
	}
	c.NoInput, c.Timeout = true, probeTimeout
	v, err := Open(c)
	if err != nil {
		return err
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	_, err = GetCard(ctx, v, profile)
	return err
}

func (r *Registry) findIn(ctx context.Context, backend, profile string, record func() (map[string]string, error)) (Found, error) {
	v, err := r.Open(backend)
	if err != nil {
		return Found{}, err
	}
	if e, ok := v.(expecter); ok {
		if keys, err := record(); err == nil && keys[profile] == "" {
			if err := e.expectAbsent(ctx, profile); err != nil {
				return Found{}, err
			}
		}
	}
	card, err := GetCard(ctx, v, profile)
	return Found{v, card}, err
}

// Elsewhere is what to tell somebody who named another backend than the one
// that the record has for a profile's key; "" where nobody did.
func (r *Registry) Elsewhere(profile string) string {
	keys, err := r.Recorded()
	where := keys[profile]
	if err != nil || where == "" || where == r.Backend || r.Backend == auto {
		return ""
	}
	return fmt.Sprintf("its key was put into the %s vault: use --backend %s", where, where)
}

// Note records into which backend a profile's key was put. Why "auto" did not
// choose another is said now: every other command would only repeat it.
func (r *Registry) Note(profile, backend string) error {
	r.mu.Lock()
	why := r.passedOver
	r.passedOver = ""
	r.mu.Unlock()
	if why != "" {
		r.Warn(why)
	}
	return record{r.StateDir}.change(func(keys map[string]string) bool {
		if keys[profile] == backend {
			return false
		}
		keys[profile] = backend
		return true
	})
}

// keepPassedOver keeps why "auto" did not choose the desktop's own store until
// a key is put elsewhere for it. Open holds the lock.
func (r *Registry) keepPassedOver(why string) {
	r.debugf("%s", why)
	r.passedOver = why
}

// Forget drops the record that a profile's key is in a backend. One of
// another backend stays: a copy was removed there, not the key.
func (r *Registry) Forget(profile, backend string) error {
	if keys, err := r.Recorded(); keys[profile] != backend || err != nil {
		return err // nothing to lock, nothing to write
	}
	return record{r.StateDir}.change(func(keys map[string]string) bool {
		is := keys[profile] == backend
		if is {
			delete(keys, profile)
		}
		return is
	})
}

// Recorded maps each profile whose key was recorded to its backend, by one
// small read.
func (r *Registry) Recorded() (map[string]string, error) { return record{r.StateDir}.read() }

// Names are the profiles whose key is on record, sorted; none where the record
// cannot be read, which is for others to report.
func (r *Registry) Names() []string {
	keys, _ := r.Recorded()
	return slices.Sorted(maps.Keys(keys))
}

func (r *Registry) debugf(format string, args ...any) {
	if r.Debugf != nil {
		r.Debugf(format, args...)
	}
}

// LockDir is where locks go that all who use a vault share: beside a file
// vault, else with the rest of the state.
func (r *Registry) LockDir(v Vault) string {
	if f, ok := v.(interface{ LockDir() string }); ok {
		return f.LockDir()
	}
	return filepath.Join(r.StateDir, lockFolder)
}

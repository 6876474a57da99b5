package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"time"
)

// itemStore is a backend that encrypts by itself, below names, envelopes and
// chunks: opaque values by encoded name. get and remove return an error
// wrapping ErrNotFound for a missing value; put has made it durable.
type itemStore interface {
	get(ctx context.Context, name string) ([]byte, error)
	put(ctx context.Context, name string, value []byte) error
	remove(ctx context.Context, name string) error
	// names lists at least the encoded names of a kind; others may be among
	// them. It opens no secret.
	names(ctx context.Context, kind Kind) ([]string, error)
	close() error
}

// osVault makes a Vault of an itemStore: it encodes names, wraps every item
// into an envelope that names it, cuts what is too large, and speaks of errors
// in the contract's words.
type osVault struct {
	Locks
	store itemStore
	limit int // bytes of the largest value; 0: none worth cutting for
	// verify: put is proved by reading back, which asks nobody.
	verify bool
	// volatile: items are gone at the next reboot.
	volatile bool
	cfg      Config
}

func newOSVault(cfg Config, backend string, store itemStore) *osVault {
	return &osVault{
		Locks:  cfg.locks(backend),
		store:  store,
		verify: true,
		cfg:    cfg,
	}
}

// Backend names the backend.
func (v *osVault) Backend() string { return v.Locks.Backend }

// Get reads one item by its exact name.
func (v *osVault) Get(ctx context.Context, kind Kind, name string) ([]byte, error) {
	if err := checkItem(kind, name, nil); err != nil {
		return nil, v.fail(ctx, "get", kind, name, err)
	}
	value, err := v.read(ctx, EncodeName(kind, name))
	if err == nil {
		var data []byte
		if data, err = UnwrapEnvelope(kind, name, value); err == nil {
			return data, nil
		}
	}
	return nil, v.fail(ctx, "get", kind, name, err)
}

// Put stores the item and, where its encoded name is a hash, its name beside
// it first, so that no listed item is ever without a name.
func (v *osVault) Put(ctx context.Context, kind Kind, name string, data []byte) error {
	if err := checkItem(kind, name, data); err != nil {
		return v.fail(ctx, "put", kind, name, err)
	}
	encoded := EncodeName(kind, name)
	if IsHashed(kind, name) {
		label := EncodeName(kindName, encoded)
		if err := v.write(ctx, label, WrapEnvelope(kindName, encoded, []byte(name))); err != nil {
			return v.fail(ctx, "put", kind, name, err)
		}
	}
	if err := v.write(ctx, encoded, WrapEnvelope(kind, name, data)); err != nil {
		return v.fail(ctx, "put", kind, name, err)
	}
	if v.volatile && (kind == KindKey || kind == KindSeed) {
		v.cfg.warn(fmt.Sprintf("the %s vault forgets at the next reboot: keep the %s %q elsewhere too", v.Backend(), kind, name))
	}
	return nil
}

// Remove deletes the item; what only names it goes last.
func (v *osVault) Remove(ctx context.Context, kind Kind, name string) error {
	if err := checkItem(kind, name, nil); err != nil {
		return v.fail(ctx, "remove", kind, name, err)
	}
	encoded := EncodeName(kind, name)
	if err := v.drop(ctx, encoded); err != nil {
		return v.fail(ctx, "remove", kind, name, err)
	}
	if IsHashed(kind, name) {
		if err := v.drop(ctx, EncodeName(kindName, encoded)); err != nil && !errors.Is(err, ErrNotFound) {
			v.cfg.warn(fmt.Sprintf("%s vault: the name of a removed %s stays behind: %v", v.Backend(), kind, err))
		}
	}
	return nil
}

// Names lists the names of a kind, sorted. Items that are not ours are passed over.
func (v *osVault) Names(ctx context.Context, kind Kind) ([]string, error) {
	if err := checkItem(kind, "", nil); err != nil {
		return nil, v.fail(ctx, "names", kind, "", err)
	}
	encoded, err := v.store.names(ctx, kind)
	if err != nil {
		return nil, v.fail(ctx, "names", kind, "", err)
	}
	names := make([]string, 0, len(encoded))
	for _, e := range encoded {
		k, name, hashed, ok := DecodeName(e)
		if !ok || k != kind {
			continue
		}
		if hashed {
			value, err := v.read(ctx, EncodeName(kindName, e))
			if err == nil {
				value, err = UnwrapEnvelope(kindName, e, value)
			}
			if err != nil {
				v.cfg.warn(fmt.Sprintf("%s vault: a %s whose name cannot be read is not listed: %v", v.Backend(), kind, err))
				continue
			}
			name = string(value)
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

// Close releases the backend.
func (v *osVault) Close() error { return v.store.close() }

// probe asks the store whether it would serve: stores that have no way of
// their own say so without a dialog when they are asked for what is not there.
func (v *osVault) probe(ctx context.Context) error {
	if p, ok := v.store.(prober); ok {
		return p.probe(ctx)
	}
	_, err := v.Get(ctx, KindCard, "")
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// expectAbsent asks a store that has a short way to tell.
func (v *osVault) expectAbsent(ctx context.Context, profile string) error {
	if e, ok := v.store.(expecter); ok {
		if err := e.expectAbsent(ctx, profile); err != nil {
			return v.fail(ctx, "get", KindCard, profile, err)
		}
	}
	return nil
}

func (v *osVault) read(ctx context.Context, encoded string) ([]byte, error) {
	if v.limit == 0 {
		return v.store.get(ctx, encoded)
	}
	return getChunked(rawItems{ctx, v.store}, encoded)
}

// write stores a value and, where that asks nobody, proves that it is there.
func (v *osVault) write(ctx context.Context, encoded string, value []byte) error {
	release, err := v.holdItem(ctx, encoded)
	if err != nil {
		return err
	}
	defer release()
	if v.limit == 0 {
		err = v.store.put(ctx, encoded, value)
	} else {
		err = putChunked(rawItems{ctx, v.store}, v.limit, encoded, value)
	}
	if err != nil || !v.verify {
		return err
	}
	stored, err := v.read(ctx, encoded)
	if errors.Is(err, ErrNotFound) || err == nil && !bytes.Equal(stored, value) {
		return because(ErrUnavailable, "the store accepted the item but does not give it back")
	}
	return err
}

func (v *osVault) drop(ctx context.Context, encoded string) error {
	release, err := v.holdItem(ctx, encoded)
	if err != nil {
		return err
	}
	defer release()
	if v.limit == 0 {
		return v.store.remove(ctx, encoded)
	}
	return removeChunked(rawItems{ctx, v.store}, encoded)
}

// holdItem excludes other writers of one item, so that what is read back is
// what was written and chunks are no other writer's. Its lock is another one
// than Hold's of the same name, which callers hold around several writes.
// Where locks cannot be had, an unchunked item is written without.
func (v *osVault) holdItem(ctx context.Context, encoded string) (func(), error) {
	release, err := v.Hold(ctx, "item."+encoded)
	if err != nil && v.limit == 0 && ctx.Err() == nil {
		v.cfg.warn(err.Error())
		return func() {}, nil
	}
	return release, err
}

// fail makes an Error of what an operation returned.
func (v *osVault) fail(ctx context.Context, op string, kind Kind, name string, err error) error {
	e := &Error{Op: op, Backend: v.Backend(), Kind: kind, Name: name, Err: classify(ctx, err)}
	var r *remedied
	if errors.As(err, &r) {
		e.Remedy = r.remedy
	} else if errors.Is(err, errNewer) {
		e.Remedy = remedyNewer
	}
	if errors.Is(e.Err, ErrUnavailable) {
		if e.Remedy != "" {
			e.Remedy += "; "
		}
		e.Remedy += couldServe(v.cfg)
	}
	return e
}

// classify makes sure that an error wraps one of the sentinels, or the
// context's own error when the caller gave up.
func classify(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	for _, s := range []error{ErrNotFound, ErrLocked, ErrPassphrase, ErrCorrupt, ErrUnavailable} {
		if errors.Is(err, s) {
			return err
		}
	}
	return because(ErrUnavailable, "%w", err)
}

// because is an error of a class whose text is the reason alone: what happened
// says what kind of failure it is.
func because(class error, format string, args ...any) error {
	return &reason{fmt.Errorf(format, args...), class}
}

type reason struct {
	error
	class error
}

func (r *reason) Unwrap() []error { return []error{r.error, r.class} }

// remedied is an error that knows what to do about it.
type remedied struct {
	error
	remedy string
}

func (r *remedied) Unwrap() error { return r.error }

// mayNotAsk is what a question becomes under Config.NoInput.
func mayNotAsk(why string) error {
	return withRemedy(because(ErrLocked, "%s, and questions are switched off", why),
		"unlock it first, or run the command without --no-input (GROAT_NO_INPUT)")
}

func withRemedy(err error, remedy string) error { return &remedied{err, remedy} }

// rawItems lets the chunking, which knows no context, use an itemStore for
// the length of one operation.
type rawItems struct {
	ctx   context.Context
	store itemStore
}

func (r rawItems) get(name string) ([]byte, error)     { return r.store.get(r.ctx, name) }
func (r rawItems) put(name string, value []byte) error { return r.store.put(r.ctx, name, value) }
func (r rawItems) remove(name string) error            { return r.store.remove(r.ctx, name) }
func (r rawItems) names() ([]string, error)            { return r.store.names(r.ctx, "") }

// keyringItem is the secret as the keyring library stores it where it keeps
// whole items (Secret Service, KWallet, pass): its readers can read ours.
type keyringItem struct {
	Key                         string
	Data                        []byte
	Label                       string
	Description                 string
	KeychainNotTrustApplication bool
	KeychainNotSynchronizable   bool
}

// locks of a backend that has no directory of its own.
func (c Config) locks(backend string) Locks {
	return Locks{Dir: filepath.Join(c.StateDir, lockFolder), Backend: backend}
}

// under is a folder of the state directory; "" where there is none.
func (c Config) under(folder string) string {
	if c.StateDir == "" {
		return ""
	}
	return filepath.Join(c.StateDir, folder)
}

// timeout is Config.Timeout or its default.
func (c Config) timeout() time.Duration {
	if c.Timeout > 0 {
		return c.Timeout
	}
	return 30 * time.Second
}

func (c Config) warn(msg string) {
	if c.Warn != nil {
		c.Warn(msg)
	}
}

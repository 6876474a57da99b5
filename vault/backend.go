package vault

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/99designs/keyring"

	// The keyring library dials the session bus before main, but for this.
	_ "groat/vault/busguard"
)

// ring is an itemStore on one backend of the keyring library. The library
// tries each backend it is allowed; it is allowed one. Its calls take no
// context and its errors differ by backend: both are put right here.
type ring struct {
	config  keyring.Config
	timeout time.Duration
	// explain gives a backend's own error one of the sentinels; nil knows none.
	explain func(error) error
	// before runs ahead of opening, which it may refuse, with the reasons that
	// the library does not give; release ends it. Nil: nothing.
	before func(context.Context) (release func(), err error)
	// onThread runs ahead of every call, on a system thread that the call then
	// has for itself and that ends with it. Nil: any thread will do.
	onThread func() error

	// list names the items where the library would hide why it cannot; nil: it does not.
	list func() ([]string, error)

	// oneByOne: the system's own calls do not bear company.
	oneByOne bool

	mu    sync.Mutex
	kr    keyring.Keyring // nil until the first call: opening may create things
	calls sync.Mutex      // held during a call, if oneByOne
}

// ringConfig is what the files of the single backends tell the library, of
// which they know no more.
type ringConfig = keyring.Config

// newRing opens nothing yet. backend is the library's name of it, which is ours.
func newRing(cfg Config, backend string, config ringConfig, explain func(error) error) *ring {
	config.AllowedBackends = []keyring.BackendType{keyring.BackendType(backend)}
	return &ring{config: config, timeout: cfg.timeout(), explain: explain}
}

// inTime runs one call of the library, which may put up a dialog. One that is
// given up goes on by itself and holds no lock of ours.
func inTime[T any](ctx context.Context, r *ring, call func(keyring.Keyring) (T, error)) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		if r.onThread != nil {
			runtime.LockOSThread() // for good: the thread ends with this goroutine
			if err := r.onThread(); err != nil {
				done <- result{err: err}
				return
			}
		}
		kr, err := r.opened(ctx)
		if err != nil {
			done <- result{err: err}
			return
		}
		if r.oneByOne {
			r.calls.Lock()
			defer r.calls.Unlock()
		}
		value, err := call(kr)
		done <- result{value, err}
	}()
	select {
	case res := <-done:
		return res.value, r.normalise(res.err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return zero, context.Canceled
		}
		return zero, because(ErrLocked, "the store did not answer within %v", r.timeout)
	}
}

func (r *ring) opened(ctx context.Context) (keyring.Keyring, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kr != nil {
		return r.kr, nil
	}
	if r.before != nil {
		release, err := r.before(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	kr, err := keyring.Open(r.config)
	if err != nil {
		return nil, err
	}
	r.kr = kr
	return kr, nil
}

func (r *ring) normalise(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, keyring.ErrKeyNotFound):
		return ErrNotFound
	case errors.Is(err, keyring.ErrNoAvailImpl):
		return because(ErrUnavailable, "the store could not be opened")
	}
	if r.explain != nil {
		err = r.explain(err)
	}
	return err
}

func (r *ring) get(ctx context.Context, name string) ([]byte, error) {
	item, err := inTime(ctx, r, func(kr keyring.Keyring) (keyring.Item, error) { return kr.Get(name) })
	return item.Data, err
}

func (r *ring) put(ctx context.Context, name string, value []byte) error {
	_, err := inTime(ctx, r, func(kr keyring.Keyring) (struct{}, error) {
		return struct{}{}, kr.Set(keyring.Item{Key: name, Data: value, Label: "groat: " + name})
	})
	return err
}

func (r *ring) remove(ctx context.Context, name string) error {
	_, err := inTime(ctx, r, func(kr keyring.Keyring) (struct{}, error) {
		// Some backends say nothing about a missing item.
		if _, err := kr.GetMetadata(name); errors.Is(err, keyring.ErrKeyNotFound) {
			return struct{}{}, err
		}
		return struct{}{}, kr.Remove(name)
	})
	return err
}

func (r *ring) names(ctx context.Context, _ Kind) ([]string, error) {
	return inTime(ctx, r, func(kr keyring.Keyring) ([]string, error) {
		if r.list != nil {
			return r.list()
		}
		return kr.Keys()
	})
}

func (r *ring) close() error { return nil }

package vault

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeKeychain is one keychain file, strict as the system is: it exists or
// not, is locked or not, and refuses with the system's codes.
type fakeKeychain struct {
	mu     sync.Mutex
	items  map[string][]byte // nil: there is no file
	fails  secStatus         // what every call on items gives
	denies secStatus         // what reading a secret gives
	noAsk  secStatus         // what creating gives
	hangs  chan struct{}     // calls wait for it to close
}

func (f *fakeKeychain) call() error {
	if f.hangs != nil {
		<-f.hangs
	}
	if f.items == nil {
		return secNoSuchKeychain
	}
	if f.fails != 0 {
		return f.fails
	}
	return nil
}

func (f *fakeKeychain) exists() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.items == nil {
		return secNoSuchKeychain
	}
	return nil
}

func (f *fakeKeychain) create() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.noAsk != 0:
		return f.noAsk
	case f.items != nil:
		return secStatus(-25296) // errSecDuplicateKeychain
	}
	f.items = map[string][]byte{}
	return nil
}

func (f *fakeKeychain) read(account string, secrets bool) ([]keychainEntry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call(); err != nil {
		return nil, err
	}
	var found []keychainEntry
	for name, value := range f.items {
		if account != "" && account != name {
			continue
		}
		e := keychainEntry{account: name}
		if secrets {
			if f.denies != 0 {
				return nil, f.denies
			}
			e.value = bytes.Clone(value)
		}
		found = append(found, e)
	}
	return found, nil
}

func (f *fakeKeychain) add(account string, value []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call(); err != nil {
		return err
	}
	if _, ok := f.items[account]; ok {
		return secDuplicateItem
	}
	f.items[account] = bytes.Clone(value)
	return nil
}

func (f *fakeKeychain) update(account string, value []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call(); err != nil {
		return err
	}
	if _, ok := f.items[account]; !ok {
		return secItemNotFound
	}
	f.items[account] = bytes.Clone(value)
	return nil
}

func (f *fakeKeychain) remove(account string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.call(); err != nil {
		return err
	}
	if _, ok := f.items[account]; !ok {
		return secItemNotFound
	}
	delete(f.items, account)
	return nil
}

func (f *fakeKeychain) open(stateDir string) Vault {
	return newOSVault(Config{StateDir: stateDir}, "keychain", &keychain{calls: f, name: "groat", timeout: 30 * time.Second})
}

// OpenFakeKeychain is for the contract suite; again gives further handles.
func OpenFakeKeychain(stateDir string) (again func() Vault) {
	f := &fakeKeychain{}
	return func() Vault { return f.open(stateDir) }
}

// A keychain that is locked, denied or out of reach never reads as one that
// holds no key: nothing but the system's own "no such item" and "no such
// keychain" does.
func TestKeychainRefusals(t *testing.T) {
	for code, want := range map[secStatus]error{
		secInteractionNotAllowed: ErrLocked,
		secInteractionRequired:   ErrLocked,
		secUserCanceled:          ErrLocked,
		secAuthFailed:            ErrPassphrase,
		secNotAvailable:          ErrUnavailable,
		secReadOnly:              ErrUnavailable,
		-34018:                   ErrUnavailable, // errSecMissingEntitlement
		-50:                      ErrUnavailable, // errSecParam
	} {
		for _, field := range []string{"fails", "denies"} {
			f := &fakeKeychain{items: map[string][]byte{}}
			v := f.open(t.TempDir())
			if err := v.Put(t.Context(), KindKey, "p", []byte("old")); err != nil {
				t.Fatal(err)
			}
			if field == "denies" {
				f.denies = code
			} else {
				f.fails = code
			}
			if _, err := v.Get(t.Context(), KindKey, "p"); !errors.Is(err, want) || errors.Is(err, ErrNotFound) {
				t.Errorf("%d %s: get: %v, want %v", code, field, err, want)
			}
			if field == "denies" {
				continue
			}
			if _, err := v.Names(t.Context(), KindKey); !errors.Is(err, want) {
				t.Errorf("%d: names: %v, want %v", code, err, want)
			}
			for op, err := range map[string]error{
				"put":    v.Put(t.Context(), KindKey, "p", []byte("new")),
				"remove": v.Remove(t.Context(), KindKey, "p"),
				"probe":  v.(prober).probe(t.Context()),
			} {
				if !errors.Is(err, want) {
					t.Errorf("%d: %s: %v, want %v", code, op, err, want)
				}
			}
		}
	}
}

// Where nobody can be asked for a new keychain's password (SSH), the way to
// make one is said.
func TestKeychainCannotBeMade(t *testing.T) {
	f := &fakeKeychain{noAsk: secInteractionNotAllowed}
	v := f.open(t.TempDir())
	if _, err := v.Get(t.Context(), KindKey, "p"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no keychain yet: %v", err)
	}
	err := v.Put(t.Context(), KindKey, "p", []byte("x"))
	var e *Error
	if !errors.Is(err, ErrUnavailable) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "security create-keychain") {
		t.Errorf("put: %v (%v)", err, e)
	}
}

// A dialog that nobody answers is given up, and is no missing key.
func TestKeychainHangs(t *testing.T) {
	f := &fakeKeychain{items: map[string][]byte{}, hangs: make(chan struct{})}
	t.Cleanup(func() { close(f.hangs) })
	k := &keychain{calls: f, name: "groat", timeout: time.Millisecond}
	if _, err := k.get(t.Context(), "key.p"); !errors.Is(err, ErrLocked) {
		t.Errorf("unanswered: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.get(ctx, "key.p"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"groat/vault/files"
)

// secStatus is a result code of Keychain Services
// (https://developer.apple.com/documentation/security/security-framework-result-codes).
type secStatus int

// The codes that mean something to us.
const (
	secUserCanceled          secStatus = -128
	secNotAvailable          secStatus = -25291
	secReadOnly              secStatus = -25292
	secAuthFailed            secStatus = -25293
	secNoSuchKeychain        secStatus = -25294
	secDuplicateItem         secStatus = -25299
	secItemNotFound          secStatus = -25300
	secInteractionNotAllowed secStatus = -25308
	secInteractionRequired   secStatus = -25315
)

func (s secStatus) Error() string { return fmt.Sprintf("Keychain error %d", int(s)) }

// keychainCalls are the calls of Keychain Services on one keychain file and
// one service. Each fails with the secStatus that the system gave.
type keychainCalls interface {
	// exists fails with secNoSuchKeychain where there is no such file.
	exists() error
	// create asks the user for the new keychain's password.
	create() error
	// read gives the accounts that are found, and their data if secrets.
	// An empty account stands for all. Nothing found is no error.
	read(account string, secrets bool) ([]keychainEntry, error)
	add(account string, value []byte) error
	update(account string, value []byte) error
	remove(account string) error
}

type keychainEntry struct {
	account string
	value   []byte
}

// keychain keeps items as generic passwords of one service in one keychain.
// The keyring library is not used: to it a keychain that is locked, refused
// or out of reach (SSH) holds nothing, and it looks for what it removes in the
// search list alone.
type keychain struct {
	calls   keychainCalls
	name    string        // for remedies
	timeout time.Duration // Config.Timeout: macOS may be asking
	mu      sync.Mutex    // held during a call
}

// in runs one call, which may put up a dialog of macOS's. One that is given up
// goes on by itself, and what comes after it waits for it.
func (k *keychain) in(ctx context.Context, call func(keychainCalls) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		done <- call(k.calls)
	}()
	select {
	case err := <-done:
		return k.explain(err)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Canceled
		}
		return because(ErrLocked, "macOS did not answer within %v (its dialog may be open)", k.timeout)
	}
}

// read gives what in a keychain that exists matches. Ours is made with its
// first item: until then it holds nothing.
func (k *keychain) read(ctx context.Context, account string, secrets bool) (found []keychainEntry, err error) {
	err = k.in(ctx, func(c keychainCalls) error {
		if err := c.exists(); err != nil {
			return err
		}
		var err error
		found, err = c.read(account, secrets)
		return err
	})
	return found, err
}

func (k *keychain) get(ctx context.Context, name string) ([]byte, error) {
	found, err := k.read(ctx, name, true)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found[0].value, nil
}

func (k *keychain) put(ctx context.Context, name string, value []byte) error {
	return k.in(ctx, func(c keychainCalls) error {
		err := c.exists()
		if err == secNoSuchKeychain { //nolint:errorlint // codes are never wrapped
			if err = c.create(); err != nil {
				return k.notMade(err)
			}
		}
		if err == nil {
			err = c.add(name, value)
		}
		if err == secDuplicateItem { //nolint:errorlint // as above
			err = c.update(name, value)
		}
		return err
	})
}

// notMade says how to make a keychain where macOS cannot ask for its password.
func (k *keychain) notMade(err error) error {
	return withRemedy(because(ErrUnavailable, "the keychain %q does not exist and macOS could not make it: %w", k.name, err),
		fmt.Sprintf("run `security create-keychain %s` in a terminal (needed over SSH), then try again", files.Word(k.name+".keychain")))
}

func (k *keychain) remove(ctx context.Context, name string) error {
	return k.in(ctx, func(c keychainCalls) error {
		if err := c.exists(); err != nil {
			return err
		}
		return c.remove(name)
	})
}

func (k *keychain) names(ctx context.Context, _ Kind) ([]string, error) {
	found, err := k.read(ctx, "", false)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	names := make([]string, 0, len(found))
	for _, e := range found {
		names = append(names, e.account)
	}
	return names, err
}

func (k *keychain) close() error { return nil }

// explain gives a status one of the vault's sentinels, and its remedy.
func (k *keychain) explain(err error) error {
	var status secStatus
	if !errors.As(err, &status) || errors.Is(err, ErrUnavailable) {
		return err
	}
	switch status {
	case secItemNotFound, secNoSuchKeychain: // our keychain is made with its first item
		return ErrNotFound
	case secInteractionNotAllowed, secInteractionRequired:
		return withRemedy(because(ErrLocked, "macOS cannot show its dialog in this session: %w", err),
			fmt.Sprintf("run `security unlock-keychain %s` first (needed over SSH)", files.Word(k.name+".keychain")))
	case secUserCanceled:
		return because(ErrLocked, "the dialog was cancelled: %w", err)
	case secAuthFailed:
		return fmt.Errorf("%w: the keychain's password was refused, or access to the item was denied: %w", ErrPassphrase, err)
	case secReadOnly:
		return because(ErrUnavailable, "the keychain cannot be written: %w", err)
	}
	return because(ErrUnavailable, "%w", err)
}

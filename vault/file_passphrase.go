package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"groat/vault/files"
)

// Unlock asks for the passphrase and lets the kernel remember the vault key
// for d, for this user's later processes. The error wraps ErrNotFound where
// there is no vault yet and ErrNoUnlockMemory where nothing can be
// remembered. The passphrase is asked although the vault may be open
// already: being open is no reason to stay so for longer.
func (f *File) Unlock(ctx context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, h, err := f.existing(ctx)
	if err == nil {
		err = f.checkNewest(raw, h)
	}
	if err != nil {
		return f.failed("unlock", "", "", err)
	}
	key, seedKey, _, err := f.askUntilOpen(ctx, h)
	if err != nil {
		return f.failed("unlock", "", "", err)
	}
	f.forget()
	f.raw, f.key, f.seed = raw, &key, &seedKey
	if !f.last.twice {
		f.repair(ctx, raw)
	}
	if err := f.memory.store(h.id, key, h.generation, d); err != nil {
		return f.failed("unlock", "", "", err)
	}
	return nil
}

// Lock forgets the vault key, here and in the kernel. Processes that run
// already keep the credentials they have.
func (f *File) Lock(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget()
	_, h, err := f.existing(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = f.memory.drop(h.id)
	}
	if err != nil {
		return f.failed("lock", "", "", err)
	}
	return nil
}

// Unlocked reports whether the kernel remembers this vault's key right now.
// It asks nothing.
func (f *File) Unlocked(ctx context.Context) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, h, err := f.existing(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, f.failed("open", "", "", err)
	}
	m, ok := f.memory.load(h.id)
	return ok && h.opens(m.key), nil
}

// ChangePassphrase asks for the current passphrase and then next for the new
// one, and wraps the same vault key under it: no item is written again, and
// an old copy of the header still opens with the old passphrase, elsewhere or
// where nothing here remembers a newer one. After a crash at any point one of the two passphrases opens everything.
func (f *File) ChangePassphrase(ctx context.Context, next PassphraseFunc) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	raw, h, err := f.existing(ctx)
	if err == nil {
		err = f.checkNewest(raw, h)
	}
	if err != nil {
		return f.failed("change the passphrase", "", "", err)
	}
	key, seedKey, _, err := f.askUntilOpen(ctx, h)
	if err != nil {
		return f.failed("change the passphrase", "", "", err)
	}
	passphrase, origin, err := next(ctx, PassphraseRequest{Path: f.dir, New: true, Attempt: 1})
	if err != nil {
		return f.failed("change the passphrase", "", "", err)
	}
	defer clear(passphrase)
	if len(passphrase) == 0 && origin != FromEnvironment {
		return f.failed("change the passphrase", "", "", fmt.Errorf("%w: an empty passphrase protects nothing", ErrPassphrase))
	}
	wrapped := *h
	wrapped.wrap(passphrase, f.cost(), key, seedKey)
	if err := f.replaceHeader(ctx, raw, wrapped.encode()); err != nil {
		return f.failed("change the passphrase", "", "", err)
	}
	f.forget()
	_ = f.checkNewest(wrapped.encode(), &wrapped)
	f.raw, f.key, f.seed = wrapped.encode(), &key, &seedKey
	return nil
}

// replaceHeader writes the first copy, which decides, and then the second.
func (f *File) replaceHeader(ctx context.Context, old, raw []byte) error {
	release, err := f.Hold(ctx, vaultLock)
	if err != nil {
		return err
	}
	defer release()
	if now, _, err := f.readHeader(); err != nil || !bytes.Equal(now, old) {
		return errors.Join(because(ErrUnavailable, "the passphrase was changed by another process"), err)
	}
	if have, err := f.disk.Read(filepath.Join(f.dir, backupFile), maxHeader, files.Private); err == nil {
		if err := replaceable(have, raw); err != nil {
			return err
		}
	}
	f.disk.Sweep(f.dir)
	if err := f.disk.Write(filepath.Join(f.dir, headerFile), raw); err != nil {
		return err
	}
	return f.disk.Write(filepath.Join(f.dir, backupFile), raw)
}

// existing reads the header of a vault that must exist.
func (f *File) existing(ctx context.Context) ([]byte, *header, error) {
	if err := f.check(ctx, KindKey, "", nil); err != nil {
		return nil, nil, err
	}
	raw, h, err := f.readHeader()
	return raw, h, err
}

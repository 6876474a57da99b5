package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Prepare makes the vault ready for a Put: it makes a new one or opens the
// one that is there, asking what has to be asked.
func (f *File) Prepare(ctx context.Context) error {
	if err := f.check(ctx, KindKey, "", nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.failed("open", "", "", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _, err := f.readHeader()
	if errors.Is(err, fs.ErrNotExist) {
		err = f.create(ctx)
	} else if err == nil {
		_, _, err = f.unlockHeld(ctx, false)
	}
	if err != nil {
		return f.failed("open", "", "", err)
	}
	return nil
}

// create makes a new vault: the passphrase is chosen before the directory
// exists, and the lock decides between two who do so at once.
func (f *File) create(ctx context.Context) error {
	if err := f.checkEmpty(); err != nil {
		return err
	}
	passphrase, origin, err := f.ask(ctx, PassphraseRequest{Path: f.dir, New: true, Attempt: 1})
	if err != nil {
		return err
	}
	defer clear(passphrase)
	if len(passphrase) == 0 && origin != FromEnvironment {
		return fmt.Errorf("%w: an empty passphrase protects nothing", ErrPassphrase)
	}
	h, key, seedKey := newHeader(passphrase, f.cost())
	if err := f.disk.MakeFolder(f.dir); errors.Is(err, fs.ErrNotExist) {
		return because(ErrUnavailable, "no directory can be made here: %s", err.Error()) // its text alone: it is no missing item
	} else if err != nil {
		return err
	}
	release, err := f.Hold(ctx, vaultLock)
	if err != nil {
		return err
	}
	defer release()
	if raw, other, err := f.readHeader(); err == nil { // somebody was quicker: is it the same passphrase?
		key, seedKey, err := other.open(passphrase)
		if err == nil {
			f.forget()
			f.raw, f.key, f.seed = raw, &key, &seedKey
			f.remember(other, key, origin)
		}
		return err
	}
	if err := f.checkEmpty(); err != nil {
		return err
	}
	raw := h.encode()
	if err := f.disk.Write(filepath.Join(f.dir, headerFile), raw); err != nil {
		return err
	}
	if err := f.disk.Write(filepath.Join(f.dir, backupFile), raw); err != nil {
		return err
	}
	f.forget()
	f.raw, f.key, f.seed = raw, &key, &seedKey
	f.remember(h, key, origin)
	return nil
}

// checkEmpty refuses to make a new vault over items that a lost header sealed.
func (f *File) checkEmpty() error {
	entries, err := f.disk.List(f.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, file := range entries {
		if _, _, _, ok := DecodeName(file); ok {
			return errNoHeader
		}
	}
	return nil
}

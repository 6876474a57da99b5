package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"

	"groat/vault/fault"
	"groat/vault/files"
)

// The names of the files of a vault beside its items. An item's file is
// named by EncodeName.
const (
	headerFile = "header"
	backupFile = "header.bak"
	lockFolder = "locks"
)

// File is the sealed file vault: a directory with a header, twice, and one
// file for each item. Its format is described in file_header.go and
// file_item.go. An item that was forged, swapped, renamed, truncated or
// changed in any bit is ErrCorrupt; that an older state of an item was put
// back, or an item deleted, is not noticed. An older header is, by the newer
// copy of it or by who remembers one.
type File struct {
	cfg    Config
	dir    string
	disk   files.Disk
	locks  Locks
	memory keyMemory
	others *handover      // processes that run at the same time
	cost   func() kdfCost // of a new passphrase

	checked atomic.Bool // the folder is ours alone, so that only we could change that

	mu   sync.Mutex // guards those below; held while the passphrase is asked
	last headerRead
	raw  []byte // the header that the keys below open
	key  *vaultKey
	seed *vaultKey
}

// OpenFile returns the file vault in cfg.FileDir. Nothing is read, asked or
// created before the first call needs it.
func OpenFile(cfg Config) *File {
	locks := Locks{Dir: filepath.Join(cfg.FileDir, lockFolder), Backend: "file"}
	cost := costHere
	if cfg.LeastCost {
		cost = func() kdfCost { return leastCost }
	}
	return &File{cfg: cfg, dir: cfg.FileDir, disk: cfg.Disk, memory: newKeyMemory(), others: newHandover(locks.Dir), cost: cost, locks: locks}
}

// Backend is "file".
func (f *File) Backend() string { return "file" }

// Dir is the vault's directory.
func (f *File) Dir() string { return f.dir }

// LockDir is the folder of its locks.
func (f *File) LockDir() string { return f.locks.Dir }

// Hold takes a lock that lies beside the vault.
func (f *File) Hold(ctx context.Context, name string) (func(), error) {
	return f.locks.Hold(ctx, name)
}

// Get reads one file by its exact name. A missing item needs no passphrase.
func (f *File) Get(ctx context.Context, kind Kind, name string) ([]byte, error) {
	if err := f.check(ctx, kind, name, nil); err != nil {
		return nil, f.failed("get", kind, name, err)
	}
	file, err := f.disk.Read(f.path(kind, name), maxItemFile, files.Private)
	if err != nil {
		return nil, f.failed("get", kind, name, err)
	}
	h, key, err := f.unlock(ctx, kind == KindSeed)
	if err != nil {
		return nil, f.failed("get", kind, name, err)
	}
	data, err := h.openItem(key, kind, name, file)
	if err != nil {
		return nil, f.failed("get", kind, name, err)
	}
	return data, nil
}

// Put seals the item and replaces its file durably. The passphrase (or the
// remembered key) is checked before anything is written; the first Put
// chooses a new vault's passphrase.
func (f *File) Put(ctx context.Context, kind Kind, name string, data []byte) error {
	if err := f.check(ctx, kind, name, data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.failed("put", kind, name, err)
	}
	h, key, release, err := f.unlockForWriting(ctx, kind)
	if err != nil {
		return f.failed("put", kind, name, err)
	}
	if release != nil {
		defer release()
		f.disk.Sweep(f.dir)
	}
	if err := f.disk.Write(f.path(kind, name), h.sealItem(key, kind, name, data)); err != nil {
		return f.failed("put", kind, name, err)
	}
	return nil
}

// Remove deletes the item's file; it needs no passphrase.
func (f *File) Remove(ctx context.Context, kind Kind, name string) error {
	n, err := f.removeAll(ctx, kind, []string{name})
	if n == 0 && err == nil {
		err = f.failed("remove", kind, name, fs.ErrNotExist)
	}
	return err
}

// removeAll deletes the items that are there and goes on past those that it
// cannot delete, with one check, one lock, one sweep and one sync for all.
func (f *File) removeAll(ctx context.Context, kind Kind, names []string) (removed int, err error) {
	if err := f.check(ctx, kind, "", nil); err != nil {
		return 0, f.failed("remove", kind, "", err)
	}
	var errs []error
	var paths []string
	for _, name := range names {
		path := f.path(kind, name)
		info, err := os.Lstat(path)
		if err == nil && info.IsDir() {
			err = &fs.PathError{Op: "remove", Path: path, Err: files.ErrIrregular}
		}
		switch err := cmp.Or(checkItem(kind, name, nil), err); {
		case err == nil:
			paths = append(paths, path)
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, f.failed("remove", kind, name, err))
		}
	}
	if len(paths) == 0 {
		return 0, errors.Join(errs...)
	}
	release, err := f.Hold(ctx, vaultLock)
	if err != nil {
		return 0, f.failed("remove", kind, "", err)
	}
	defer release()
	f.disk.Sweep(f.dir)
	if removed, err = f.disk.Remove(paths...); err != nil {
		errs = append(errs, f.failed("remove", kind, "", err))
	}
	return removed, errors.Join(errs...)
}

// Names lists the items of a kind from their files' names; only for names
// that are hashed there it reads the clear part of the file. Nothing is
// unsealed, so that a listing is a claim until the item is read.
func (f *File) Names(ctx context.Context, kind Kind) ([]string, error) {
	err := f.check(ctx, kind, "", nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, f.failed("names", kind, "", err)
	}
	entries, err := f.disk.List(f.dir)
	if err != nil {
		return nil, f.failed("names", kind, "", err)
	}
	var names []string
	for _, file := range entries {
		k, name, hashed, ok := DecodeName(file)
		if !ok || k != kind {
			continue
		}
		if hashed {
			if name, ok = f.clearName(file, kind); !ok {
				f.warn(fmt.Sprintf("%s does not say which %s it is: left alone", filepath.Join(f.dir, file), kind))
				continue
			}
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

func (f *File) clearName(file string, kind Kind) (string, bool) {
	data, err := f.disk.Read(filepath.Join(f.dir, file), maxItemFile, files.Private)
	if err != nil {
		return "", false
	}
	k, name, ok := itemLabel(data)
	return name, ok && k == kind && EncodeName(k, name) == file
}

// Close wipes the keys held in memory, once those who wait for one have it.
// The vault can be used again after it.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget()
	return nil
}

func (f *File) forget() {
	f.others.close()
	for _, k := range []*vaultKey{f.key, f.seed} {
		if k != nil {
			clear(k[:])
		}
	}
	f.raw, f.key, f.seed = nil, nil, nil
}

// check refuses impossible items and a directory that others can write to.
// Its error wraps fs.ErrNotExist when there is no vault yet.
func (f *File) check(ctx context.Context, kind Kind, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkItem(kind, name, data); err != nil {
		return err
	}
	if f.dir == "" {
		return because(ErrUnavailable, "no directory is configured")
	}
	if f.checked.Load() {
		return nil
	}
	err := f.disk.CheckFolder(f.dir)
	f.checked.Store(err == nil)
	return err
}

func (f *File) path(kind Kind, name string) string {
	return filepath.Join(f.dir, EncodeName(kind, name))
}

func (f *File) warn(msg string) {
	if f.cfg.Warn != nil {
		f.cfg.Warn(msg)
	}
}

func (f *File) debugf(format string, args ...any) {
	if f.cfg.Debugf != nil {
		f.cfg.Debugf(format, args...)
	}
}

// failed gives an error its place and, where the file system spoke, its
// sentinel and its remedy.
func (f *File) failed(op string, kind Kind, name string, err error) error {
	var already *Error
	if errors.As(err, &already) {
		return err
	}
	e := &Error{Op: op, Backend: "file", Kind: kind, Name: name, Err: err}
	var access *files.AccessError
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.Is(err, errNewer), errors.Is(err, errNewerHeader):
		e.Remedy = remedyNewer
	case errors.Is(err, errOldHeader):
		e.Remedy = "if you restored " + f.dir + " from a backup on purpose: groat lock"
	case errors.Is(err, errHeader):
		e.Remedy = "restore header or header.bak in " + f.dir + " from a backup; without one, move the directory away and store the keys again"
	case errors.Is(err, ErrCorrupt), errors.Is(err, files.ErrTooLarge), errors.Is(err, files.ErrIrregular):
		if !errors.Is(err, ErrCorrupt) {
			e.Err = because(ErrCorrupt, "%w", err)
		}
		e.Remedy = remedyFor(kind, name)
	case errors.As(err, &access):
		e.Err, e.Remedy = because(ErrUnavailable, "%w", err), access.Remedy
	case errors.Is(err, fs.ErrNotExist):
		e.Err = ErrNotFound
	case errors.Is(err, ErrPassphrase), errors.Is(err, ErrUnavailable):
	case errors.Is(err, ErrLocked):
		// Who was asked knows better.
		e.Remedy = cmp.Or(fault.Hint(err), "run `groat unlock` in a terminal, or set GROAT_FILE_PASSPHRASE")
	case errors.As(err, &path), errors.As(err, &link):
		e.Err, e.Remedy = because(ErrUnavailable, "%w", err), "check the free space and the rights of "+f.dir
	}
	return e
}

func remedyFor(kind Kind, name string) string {
	switch kind {
	case KindKey, KindCard:
		return fmt.Sprintf("restore the vault from a backup, or store the key again: `groat add --overwrite %s`", files.Word(name))
	case KindSession:
		return "drop it: `groat remove --sessions-only --all`"
	}
	return "restore the vault from a backup, or remove the item"
}

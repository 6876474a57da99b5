// Package files is the one way to the files that groat reads and writes: a
// read that checks whose hand may have been in a file, a write that leaves
// the old or the new content whole, and the sweep of what was interrupted.
// It imports nothing of ours; every room may import it.
package files

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TempPrefix begins the name of a file that Write has not finished, in a
// folder that is ours alone.
const TempPrefix = ".tmp-"

// Disk is the file system. The zero value is ready for use.
type Disk struct {
	// Before is asked before every operation, so that a test can let each one
	// fail or be the last one; nil in production.
	Before func(op, path string) error
	// Volatile writes are whole too, but need not survive a loss of power.
	Volatile bool
}

func (d Disk) step(op, path string) error {
	if d.Before == nil {
		return nil
	}
	if err := d.Before(op, path); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// Write replaces path, which is ours alone, durably and with mode 0600: the
// old or the new content is there at every moment, and the new one survives a
// loss of power once it returned nil.
func (d Disk) Write(path string, data []byte) error {
	dir := filepath.Dir(path)
	temp, err := d.fill(filepath.Join(dir, TempPrefix+suffix()), data, nil)
	if err != nil {
		return err
	}
	if err := d.rename(temp, path); err != nil {
		_ = d.remove(temp)
		return err
	}
	return d.syncFolder(dir)
}

func suffix() string {
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails (crypto/rand since Go 1.24)
	return hex.EncodeToString(random)
}

// fill creates a file with this content, and with the mode and owner of like
// unless that is nil. A file that could not be completed is removed.
func (d Disk) fill(path string, data []byte, like fs.FileInfo) (temp string, err error) {
	if err := d.step("create", path); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = d.remove(path)
		}
	}()
	if err := d.step("write", path); err != nil {
		_, _ = f.Write(data[:len(data)/2]) // what a write that is cut short leaves
		return "", err
	}
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	if like != nil {
		if err := d.keep(f, like); err != nil {
			return "", err
		}
	}
	if !d.Volatile {
		if err := d.step("sync", path); err != nil {
			return "", err
		}
		if err := f.Sync(); err != nil {
			return "", err
		}
	}
	if err := d.step("close", path); err != nil {
		return "", err
	}
	return path, f.Close()
}

func (d Disk) rename(from, to string) error {
	if err := d.step("rename", to); err != nil {
		return err
	}
	return rename(from, to)
}

// Remove removes files of one folder durably, and says how many. It goes on past
// those that cannot be removed, and joins their errors.
func (d Disk) Remove(paths ...string) (removed int, err error) {
	var errs []error
	for _, path := range paths {
		if err := d.remove(path); err != nil {
			errs = append(errs, err)
		}
	}
	if removed = len(paths) - len(errs); removed > 0 {
		errs = append(errs, d.syncFolder(filepath.Dir(paths[0])))
	}
	return removed, errors.Join(errs...)
}

func (d Disk) remove(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	return os.Remove(path)
}

func (d Disk) syncFolder(path string) error {
	if d.Volatile {
		return nil
	}
	if err := d.step("syncdir", path); err != nil {
		return err
	}
	return syncFolder(path)
}

// MakeFolder creates a folder, and those above it, for us alone. One that is
// there has to be Private.
func (d Disk) MakeFolder(path string) error {
	if err := d.step("mkdir", path); err != nil {
		return err
	}
	if err := makeFolder(path); err != nil {
		return err
	}
	return d.CheckFolder(path)
}

// List names the regular files of a folder.
func (d Disk) List(path string) ([]string, error) {
	if err := d.step("readdir", path); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Sweep removes what interrupted calls of Write left in a folder that is ours
// alone. The caller holds the lock under which alone they are made there: all
// are stale.
func (d Disk) Sweep(path string) { d.sweep(path, TempPrefix) }

func (d Disk) sweep(path, prefix string) {
	names, err := d.List(path)
	if err != nil {
		return // the write that follows says what is wrong
	}
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			_ = d.remove(filepath.Join(path, name))
		}
	}
}

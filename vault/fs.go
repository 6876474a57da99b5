package vault

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tempPrefix begins the name of a file that is being written. No item's
// name begins with a dot.
const tempPrefix = ".tmp-"

var (
	errTooLarge  = errors.New("file is too large")
	errIrregular = errors.New("not a regular file")
)

// disk is the file vault's only way to the file system. Every operation
// passes before, so that a test can let each one fail or be the last one.
type disk struct {
	before func(op, path string) error // nil in production
}

func (d disk) step(op, path string) error {
	if d.before == nil {
		return nil
	}
	if err := d.before(op, path); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// checkDir reports whether the vault's directory is one that only we can
// have written to. The error wraps fs.ErrNotExist where there is none.
func (d disk) checkDir(path string) error {
	if err := d.step("lstat", path); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &accessError{path: path, what: "is no directory (a symbolic link is refused)"}
	}
	return checkAccess(path, info)
}

// readFile reads a whole file that only we can have written to, at most
// limit bytes. It follows no symbolic link and hangs at no pipe.
func (d disk) readFile(path string, limit int) ([]byte, error) {
	if err := d.step("open", path); err != nil {
		return nil, err
	}
	f, err := openNoFollow(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errIrregular}
	}
	if err := checkAccess(path, info); err != nil {
		return nil, err
	}
	if info.Size() > int64(limit) {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errTooLarge}
	}
	if err := d.step("read", path); err != nil {
		return nil, err
	}
	data := make([]byte, 0, info.Size()+1)
	for { // io.ReadAll would begin smaller and copy
		if len(data) > limit {
			return nil, &fs.PathError{Op: "read", Path: path, Err: errTooLarge}
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// writeFile replaces path durably: the old or the new content is there at
// every moment, and the new one survives a loss of power once it returned nil.
func (d disk) writeFile(path string, data []byte) (err error) {
	suffix := make([]byte, 8)
	_, _ = rand.Read(suffix) // never fails (crypto/rand since Go 1.24)
	dir := filepath.Dir(path)
	temp := filepath.Join(dir, tempPrefix+hex.EncodeToString(suffix))
	if err := d.step("create", temp); err != nil {
		return err
	}
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = d.remove(temp)
		}
	}()
	if err := d.step("write", temp); err != nil {
		_, _ = f.Write(data[:len(data)/2]) // what a write that is cut short leaves
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := d.step("sync", temp); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := d.step("close", temp); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := d.step("rename", path); err != nil {
		return err
	}
	if err := rename(temp, path); err != nil {
		return err
	}
	return d.syncDir(dir)
}

// removeFile removes path durably.
func (d disk) removeFile(path string) error {
	if err := d.remove(path); err != nil {
		return err
	}
	return d.syncDir(filepath.Dir(path))
}

func (d disk) remove(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	return os.Remove(path)
}

func (d disk) syncDir(path string) error {
	if err := d.step("syncdir", path); err != nil {
		return err
	}
	return syncDir(path)
}

// makeDir creates the vault's directory, and those above it, for us alone.
func (d disk) makeDir(path string) error {
	if err := d.step("mkdir", path); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o700); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: no directory can be made here: %s", ErrUnavailable, err.Error()) // its text alone: it is no missing item
	} else if err != nil {
		return err
	}
	return d.checkDir(path)
}

// files lists the regular files of the vault's directory.
func (d disk) files(path string) ([]string, error) {
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

// sweep removes what interrupted writes left behind. The caller holds the
// vault's lock, under which alone temporary files are made: all are stale.
func (d disk) sweep(path string) {
	names, err := d.files(path)
	if err != nil {
		return // the write that follows says what is wrong
	}
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix) {
			_ = d.remove(filepath.Join(path, name))
		}
	}
}

// accessError is a file or directory that others could have written to.
type accessError struct{ path, what, remedy string }

func (e *accessError) Error() string { return fmt.Sprintf("%s %s", e.path, e.what) }

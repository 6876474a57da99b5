package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// fileSystem is what an edit asks of the system. Tests let it fail, or die,
// at every step.
type fileSystem interface {
	ReadFile(path string) ([]byte, error)
	Readlink(path string) (string, error)
	Stat(path string) (fs.FileInfo, error)
	MkdirAll(path string, mode fs.FileMode) error
	CreateTemp(dir, pattern string) (tempFile, error)
	Rename(from, to string) error
	// RenameNew is Rename, but fails with fs.ErrExist if to is there; Exchange
	// swaps two files. Both may be errors.ErrUnsupported.
	RenameNew(from, to string) error
	Exchange(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
	ReadDir(path string) ([]fs.DirEntry, error)
}

type tempFile interface {
	Name() string
	Write(p []byte) (int, error)
	Stat() (fs.FileInfo, error)
	Chmod(mode fs.FileMode) error
	Chown(uid, gid int) error
	Sync() error
	Close() error
}

type systemFiles struct{}

func (systemFiles) ReadFile(path string) ([]byte, error)         { return readBounded(path) }
func (systemFiles) Readlink(path string) (string, error)         { return os.Readlink(path) }
func (systemFiles) Stat(path string) (fs.FileInfo, error)        { return os.Stat(path) }
func (systemFiles) MkdirAll(path string, mode fs.FileMode) error { return os.MkdirAll(path, mode) }
func (systemFiles) Rename(from, to string) error                 { return os.Rename(from, to) }
func (systemFiles) Remove(path string) error                     { return os.Remove(path) }
func (systemFiles) ReadDir(path string) ([]fs.DirEntry, error)   { return os.ReadDir(path) }
func (systemFiles) CreateTemp(dir, pattern string) (tempFile, error) {
	return os.CreateTemp(dir, pattern)
}

// replaceFile writes the text beside the file and renames it into place. The
// file must still hold old (or be missing) right before that.
func replaceFile(fsys fileSystem, path string, old []byte, missing bool, text string) (err error) {
	dir := filepath.Dir(path)
	var info fs.FileInfo
	if missing {
		if err := fsys.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	} else if info, err = fsys.Stat(path); err != nil {
		return err
	}
	temp, err := fsys.CreateTemp(dir, tempPrefix(path)+"*")
	if err != nil {
		return err
	}
	closed := false
	defer func() {
		if err != nil {
			if !closed {
				_ = temp.Close()
			}
			_ = fsys.Remove(temp.Name())
		}
	}()
	if err = fillTemp(temp, info, text); err != nil {
		return err
	}
	closed = true
	if err = temp.Close(); err != nil {
		return err
	}
	if err = unchanged(fsys, path, old, missing); err != nil {
		return err
	}
	if err = swapIn(fsys, temp.Name(), path, old, missing); err != nil {
		return err
	}
	// The new text is in place. Failing to sync the directory is no failure:
	// after a power cut the file is the old or the new one, both whole.
	_ = fsys.SyncDir(dir)
	return nil
}

// swapIn puts the temporary file in the place of the file. Where the system
// can exchange two files, what was there is looked at once more after that:
// not even a write in the last instant is lost.
func swapIn(fsys fileSystem, temp, path string, old []byte, missing bool) error {
	if missing {
		err := fsys.RenameNew(temp, path)
		switch {
		case errors.Is(err, fs.ErrExist):
			return ErrConflict
		case errors.Is(err, errors.ErrUnsupported):
			return fsys.Rename(temp, path)
		}
		return err
	}
	err := fsys.Exchange(temp, path)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return fsys.Rename(temp, path)
	case errors.Is(err, fs.ErrNotExist):
		return ErrConflict // deleted in the last instant
	case err != nil:
		return err
	}
	was, err := fsys.ReadFile(temp)
	if err == nil && !bytes.Equal(was, old) {
		err = ErrConflict
	}
	if err != nil {
		return errors.Join(err, fsys.Exchange(temp, path))
	}
	if err := fsys.Remove(temp); err != nil {
		return &leftover{temp, err}
	}
	return nil
}

// leftover is the old text that could not be removed once the new one was in
// place; the next edit sweeps it.
type leftover struct {
	path string
	err  error
}

func (e *leftover) Error() string {
	return fmt.Sprintf("the new text is in place, but the old one is still in %s: %v", clean(e.path), e.err)
}

func (e *leftover) Unwrap() error { return e.err }

// tempPrefix begins the names of a file's temporary files, which lie beside it.
func tempPrefix(path string) string { return "." + filepath.Base(path) + ".groat-" }

// sweep removes the temporary files of edits that were killed. Only who
// holds the directory's lock may: nobody else's edit is under way then.
func sweep(fsys fileSystem, path string) {
	dir := filepath.Dir(path)
	entries, err := fsys.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix(path)) && e.Type().IsRegular() {
			_ = fsys.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// fillTemp writes the text durably, with the mode and owner of the old file.
func fillTemp(temp tempFile, info fs.FileInfo, text string) error {
	if _, err := temp.Write([]byte(text)); err != nil {
		return err
	}
	if info != nil {
		mine, err := temp.Stat()
		if err != nil {
			return err
		}
		if uid, gid, differ := ownerDiffers(info, mine); differ {
			if err := temp.Chown(uid, gid); err != nil {
				return fmt.Errorf("could not keep the file's owner: %w", err)
			}
		}
		if mine.Mode().Perm() != info.Mode().Perm() {
			if err := temp.Chmod(info.Mode().Perm()); err != nil {
				return fmt.Errorf("could not keep the file's mode: %w", err)
			}
		}
	}
	return temp.Sync()
}

// unchanged reads the file once more: another program may have written it.
func unchanged(fsys fileSystem, path string, old []byte, missing bool) error {
	now, err := fsys.ReadFile(path)
	switch {
	case missing && errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && !missing && bytes.Equal(now, old):
		return nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return ErrConflict
	}
	return err
}

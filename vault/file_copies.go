package vault

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"groat/vault/files"
)

// headerRead is the header as it was read, and the two files that it was read from.
type headerRead struct {
	files [2]fs.FileInfo
	raw   []byte
	h     *header
	twice bool // both copies are equal
}

// of reports whether the files are still those that were read.
func (r *headerRead) of(files [2]fs.FileInfo) bool {
	for i, was := range r.files {
		is := files[i]
		if was == nil || is == nil || !os.SameFile(was, is) || !was.ModTime().Equal(is.ModTime()) || was.Size() != is.Size() || was.Mode() != is.Mode() {
			return false
		}
	}
	return true
}

// readHeader gives the newer of both copies of the header of the same vault, or
// the one that is there and good. Copies that did not change are not read again.
// The error wraps fs.ErrNotExist when there is neither. f.mu is held.
func (f *File) readHeader() (raw []byte, h *header, err error) {
	now := headerRead{}
	for i, name := range []string{headerFile, backupFile} {
		now.files[i], _ = os.Lstat(filepath.Join(f.dir, name))
	}
	if f.last.h == nil || !f.last.of(now.files) {
		if now.raw, now.h, now.twice, err = f.readCopies(); err != nil {
			return nil, nil, err
		}
		f.last = now
	}
	return f.last.raw, f.last.h, nil
}

func (f *File) readCopies() (raw []byte, h *header, twice bool, err error) {
	var access *files.AccessError
	raw, h, err = f.readCopy(headerFile)
	if errors.As(err, &access) {
		return nil, nil, false, err
	}
	raw2, h2, err2 := f.readCopy(backupFile)
	switch {
	case errors.As(err2, &access):
		return nil, nil, false, err2
	case errors.Is(err, errNewerHeader), errors.Is(err2, errNewerHeader):
		return nil, nil, false, errNewerHeader
	case err2 == nil && (err != nil || h2.newer(h)):
		return raw2, h2, false, nil
	case err2 != nil && errors.Is(err, fs.ErrNotExist):
		return nil, nil, false, err2 // the copy is what there is
	}
	return raw, h, bytes.Equal(raw, raw2), err
}

// newer reports whether h is a later header of the same vault.
func (h *header) newer(than *header) bool {
	return h.id == than.id && h.generation > than.generation
}

func (f *File) readCopy(name string) ([]byte, *header, error) {
	raw, err := f.disk.Read(filepath.Join(f.dir, name), maxHeader, files.Private)
	if err != nil {
		return nil, nil, err
	}
	h, err := parseHeader(raw)
	return raw, h, err
}

// mirror makes the second copy equal to the first, and the first to the
// second where that is the good one. The vault's lock is held.
func (f *File) mirror(raw []byte) error {
	for _, name := range []string{headerFile, backupFile} {
		path := filepath.Join(f.dir, name)
		have, err := f.disk.Read(path, maxHeader, files.Private)
		if err == nil && bytes.Equal(have, raw) {
			continue
		}
		var access *files.AccessError
		if errors.As(err, &access) {
			return err
		}
		if err == nil {
			if err := replaceable(have, raw); err != nil {
				return err
			}
		}
		if err := f.disk.Write(path, raw); err != nil {
			return err
		}
	}
	return nil
}

// replaceable refuses to write a header over one of another vault, or over a
// newer one.
func replaceable(have, by []byte) error {
	there, err := parseHeader(have)
	if errors.Is(err, errNewerHeader) {
		return err
	}
	if err != nil {
		return nil // damaged
	}
	h, err := parseHeader(by)
	switch {
	case err != nil:
		return err
	case there.id != h.id:
		return errTwoVaults
	case there.newer(h):
		return errOldHeader
	}
	return nil
}

// repair makes both copies of the header equal again; a vault that cannot be
// written is read from the good one for as long as it lasts.
func (f *File) repair(ctx context.Context, raw []byte) {
	release, err := f.Hold(ctx, vaultLock)
	if err != nil {
		return
	}
	defer release()
	if now, _, err := f.readHeader(); err == nil && !f.last.twice && bytes.Equal(now, raw) {
		f.disk.Sweep(f.dir)
		if f.mirror(raw) == nil {
			f.warn("the vault's header was damaged or out of date and has been repaired from its copy")
		}
	}
}

// Whole is false where one of the two copies of the header is missing, damaged
// or out of date, so that the other is all there is. The next one who opens the
// vault mends that.
func (f *File) Whole() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, _, err := f.readHeader()
	return err != nil || f.last.twice
}

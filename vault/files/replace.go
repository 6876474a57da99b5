package files

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrChanged says that another program changed a file meanwhile.
var ErrChanged = errors.New("the file was changed by another program")

// Real is the path of the file itself, behind all symbolic links. The file
// need not exist.
func Real(path string) (string, error) {
	for range maxLinks {
		next, err := follow(path)
		if err != nil {
			return path, nil // not a link, or missing
		}
		path = next
	}
	return "", errManyLinks
}

// Replace writes the text beside a file, which may lie among files of others,
// and puts it in its place: durably, with the old one's mode and owner. The
// file must still hold old (nil: be missing) right before that, as Read with
// Steering and this limit reads it; else the error is ErrChanged and nothing
// was written. With secret, no copy of the old text is left beside the new one
// at any instant.
func (d Disk) Replace(path string, old, text []byte, limit int, secret bool) error {
	dir := filepath.Dir(path)
	var info fs.FileInfo
	if old == nil {
		if err := d.step("mkdir", dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	} else {
		if err := d.step("stat", path); err != nil {
			return err
		}
		var err error
		if info, err = os.Stat(path); err != nil {
			return err
		}
	}
	temp, err := d.fill(filepath.Join(dir, besidePrefix(path)+suffix()), text, info)
	if err != nil {
		return err
	}
	if err = d.unchanged(path, old, limit); err == nil {
		err = d.swapIn(temp, path, old, limit, secret)
	}
	if err != nil {
		_ = d.remove(temp)
		return err
	}
	// The new text is in place. Failing to sync the directory is no failure:
	// after a power cut the file is the old or the new one, both whole.
	_ = d.syncFolder(dir)
	return nil
}

// SweepBeside removes what interrupted calls of Replace for this file left
// beside it. Only who holds the folder's lock may.
func (d Disk) SweepBeside(path string) { d.sweep(filepath.Dir(path), besidePrefix(path)) }

func besidePrefix(path string) string { return "." + filepath.Base(path) + ".groat-" }

// swapIn puts the temporary file in the place of the file. Where the system
// can exchange two files, what was there is looked at once more after that:
// not even a write in the last instant is lost. Not so with secret: who is
// killed then would leave what was there.
func (d Disk) swapIn(temp, path string, old []byte, limit int, secret bool) error {
	if secret && old != nil {
		return d.rename(temp, path)
	}
	if old == nil {
		err := d.move("rename-new", temp, path, renameNew)
		switch {
		case errors.Is(err, fs.ErrExist):
			return ErrChanged
		case errors.Is(err, errors.ErrUnsupported):
			return d.rename(temp, path)
		}
		return err
	}
	err := d.move("exchange", temp, path, exchange)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return d.rename(temp, path)
	case errors.Is(err, fs.ErrNotExist):
		return ErrChanged // deleted in the last instant
	case err != nil:
		return err
	}
	was, err := d.content(temp, limit)
	if err == nil && !bytes.Equal(was, old) {
		err = ErrChanged
	}
	if err != nil {
		return errors.Join(err, d.move("exchange", temp, path, exchange))
	}
	_ = d.remove(temp) // else the next SweepBeside does
	return nil
}

func (d Disk) move(op, from, to string, how func(from, to string) error) error {
	if err := d.step(op, to); err != nil {
		return err
	}
	return how(from, to)
}

// keep gives a new file the mode and owner of the old one.
func (d Disk) keep(f *os.File, old fs.FileInfo) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if uid, gid, differ := ownerDiffers(old, mine); differ {
		if err := f.Chown(uid, gid); err != nil {
			return fmt.Errorf("could not keep the file's owner: %w", err)
		}
	}
	if mine.Mode().Perm() == old.Mode().Perm() {
		return nil
	}
	if err := d.step("chmod", f.Name()); err != nil {
		return err
	}
	if err := f.Chmod(old.Mode().Perm()); err != nil {
		return fmt.Errorf("could not keep the file's mode: %w", err)
	}
	return nil
}

// unchanged reads the file once more: another program may have written it.
func (d Disk) unchanged(path string, old []byte, limit int) error {
	now, err := d.content(path, limit)
	switch {
	case old == nil && errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil && old != nil && bytes.Equal(now, old):
		return nil
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return ErrChanged
	}
	return err
}

// content is a steering file's, on a Windows drive too.
func (d Disk) content(path string, limit int) ([]byte, error) {
	data, err := d.Read(path, limit, Steering)
	var access *AccessError
	if errors.As(err, &access) && access.Drive {
		err = nil
	}
	return data, err
}

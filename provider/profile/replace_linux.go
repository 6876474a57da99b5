package profile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// RenameNew and Exchange are renameat2(2), which not every file system has.

// RenameNew renames, but replaces nothing.
func (systemFiles) RenameNew(from, to string) error { return rename2(from, to, unix.RENAME_NOREPLACE) }

// Exchange swaps two files in one step.
func (systemFiles) Exchange(from, to string) error { return rename2(from, to, unix.RENAME_EXCHANGE) }

func rename2(from, to string, flags uint) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS):
		return errors.ErrUnsupported
	}
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
}

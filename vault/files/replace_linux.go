package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew and exchange are renameat2(2), which not every file system has.

// renameNew renames, but fails with fs.ErrExist if to is there.
func renameNew(from, to string) error { return rename2(from, to, unix.RENAME_NOREPLACE) }

// exchange swaps two files in one step.
func exchange(from, to string) error { return rename2(from, to, unix.RENAME_EXCHANGE) }

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

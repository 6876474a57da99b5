package vault

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// checkAccess accepts all: %LOCALAPPDATA% is protected by the access lists
// that Windows gives it, and mode bits say nothing there.
func checkAccess(string, fs.FileInfo) error { return nil }

func openNoFollow(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, &accessError{path: path, what: "is a symbolic link"}
	}
	return os.Open(path)
}

// rename tries again for a moment: Windows refuses to replace a file that a
// reader, or a virus scanner, has open.
func rename(from, to string) error {
	const sharingViolation = syscall.Errno(32)
	err := os.Rename(from, to)
	for i := 0; i < 50 && (errors.Is(err, fs.ErrPermission) || errors.Is(err, sharingViolation)); i++ {
		time.Sleep(10 * time.Millisecond)
		err = os.Rename(from, to)
	}
	return err
}

// syncDir does nothing: NTFS journals its directories and os.Open gives no
// handle that could be flushed.
func syncDir(string) error { return nil }

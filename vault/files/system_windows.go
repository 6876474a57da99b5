package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// errLink is what opening a symbolic link gives.
var errLink = errors.New("it is a symbolic link")

// checkFile and checkInfo accept all: a user's own directory is protected by
// the access lists that Windows gives it, and mode bits say nothing there.
func checkFile(string, *os.File, fs.FileInfo, Rule) *AccessError { return nil }

func checkInfo(string, fs.FileInfo, Rule) *AccessError { return nil }

func openNoFollow(path string, _ bool) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errLink}
	}
	return os.Open(path)
}

func openAppend(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return nil, &AccessError{Path: path, What: "is a symbolic link"}
	}
	return os.OpenFile(path, appendFlags, 0o600)
}

// isDescriptors is false: Windows has no such folder.
func isDescriptors(string) bool { return false }

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

// syncFolder does nothing: NTFS journals its directories and os.Open gives no
// handle that could be flushed.
func syncFolder(string) error { return nil }

// ownerDiffers is false: a new file inherits its access list from the
// directory, as the old one did.
func ownerDiffers(_, _ fs.FileInfo) (uid, gid int, differ bool) { return 0, 0, false }

//go:build unix

package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// checkAccess refuses what belongs to neither us nor root, and what others
// can read or write.
func checkAccess(path string, info fs.FileInfo) error {
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return &accessError{path: path, what: fmt.Sprintf("belongs to another user (%d)", st.Uid),
			remedy: fmt.Sprintf("if its content is yours: sudo chown -R %d '%s'", os.Geteuid(), path)}
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		want := "600"
		if info.IsDir() {
			want = "700"
		}
		return &accessError{path: path, what: fmt.Sprintf("is open to others (mode %04o)", perm),
			remedy: fmt.Sprintf("chmod %s '%s'", want, path)}
	}
	return nil
}

// openNoFollow opens for reading; a symbolic link is refused and a pipe does
// not block.
func openNoFollow(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, &accessError{path: path, what: "is a symbolic link"}
	}
	return f, err
}

func rename(from, to string) error { return os.Rename(from, to) }

// syncDir makes a rename or a removal in the directory durable. File systems
// that cannot sync a directory say EINVAL or ENOTSUP: they need none.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

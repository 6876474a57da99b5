//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// errLink is what opening a symbolic link gives.
const errLink = syscall.ELOOP

// checkFile checks what an open file is. f is its descriptor.
func checkFile(path string, f *os.File, info fs.FileInfo, rule Rule) *AccessError {
	access := checkInfo(path, info, rule)
	if access != nil && rule == Steering && onDrive(f) {
		access.Drive = true
		access.What = "is on a Windows drive, where every file looks writable by others"
		access.Remedy = `keep the file in the Linux home, or mount the drive with options = "metadata,umask=077" in /etc/wsl.conf`
	}
	return access
}

// checkInfo refuses what belongs to neither us nor root, and what others can
// write, or under Private read.
func checkInfo(path string, info fs.FileInfo, rule Rule) *AccessError {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || rule == Any {
		return nil
	}
	us := os.Geteuid()
	if st.Uid != 0 && int(st.Uid) != us {
		return &AccessError{Path: path, What: fmt.Sprintf("belongs to another user (%d)", st.Uid),
			Remedy: fmt.Sprintf("if its content is yours: sudo chown -R %d %s", us, Word(path))}
	}
	mode, perm := info.Mode(), info.Mode().Perm()
	if rule == Private {
		want := "600"
		if mode.IsDir() {
			want = "700"
		}
		if perm&0o077 != 0 {
			return &AccessError{Path: path, What: fmt.Sprintf("is open to others (mode %04o)", perm), Remedy: "chmod " + want + " " + Word(path)}
		}
		return nil
	}
	// Systems with user private groups make files writable by the group that
	// bears the user's own number (umask 002). Root's has members.
	private := int(st.Gid) == us && us != 0
	if mode.IsDir() && mode&fs.ModeSticky != 0 || perm&0o002 == 0 && (perm&0o020 == 0 || private) {
		return nil
	}
	return &AccessError{Path: path, What: fmt.Sprintf("can be written by others (mode %04o)", perm), Remedy: "chmod go-w " + Word(path)}
}

// openNoFollow opens for reading; of a symbolic link the error is errLink.
// Unless wait is set, a pipe does not block.
func openNoFollow(path string, wait bool) (*os.File, error) {
	flags := os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY
	if wait {
		flags &^= syscall.O_NONBLOCK
	}
	return os.OpenFile(path, flags, 0)
}

// openAppend opens for Append; neither a symbolic link nor a pipe is opened.
func openAppend(path string) (*os.File, error) {
	f, err := os.OpenFile(path, appendFlags|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0o600)
	if errors.Is(err, errLink) {
		return nil, &AccessError{Path: path, What: "is a symbolic link"}
	}
	return f, err
}

// isDescriptors knows the folder whose links are a process's descriptors.
func isDescriptors(dir string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	return err == nil && strings.HasPrefix(dir, "/proc/") && filepath.Base(dir) == "fd"
}

func makeFolder(path string) error { return os.MkdirAll(path, 0o700) }

func rename(from, to string) error { return os.Rename(from, to) }

// syncFolder makes a rename or a removal in the folder durable. File systems
// that cannot sync one say EINVAL or ENOTSUP: they need none.
func syncFolder(path string) error {
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

// ownerDiffers gives the owner of the old file, and whether the new one has
// another.
func ownerDiffers(old, mine fs.FileInfo) (uid, gid int, differ bool) {
	o, ok1 := old.Sys().(*syscall.Stat_t)
	m, ok2 := mine.Sys().(*syscall.Stat_t)
	if !ok1 || !ok2 {
		return 0, 0, false
	}
	return int(o.Uid), int(o.Gid), o.Uid != m.Uid || o.Gid != m.Gid
}

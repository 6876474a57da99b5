package files

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// drvFS is the file system by which WSL 1 shows Windows drives; WSL 2 shows
// them by 9P or virtiofs.
const drvFS = 0x53464846

// onDrive reports whether an open file lies on a Windows drive under WSL.
func onDrive(f *os.File) bool {
	var system unix.Utsname
	var disk unix.Statfs_t
	if unix.Uname(&system) != nil || unix.Fstatfs(int(f.Fd()), &disk) != nil ||
		!strings.Contains(strings.ToLower(unix.ByteSliceToString(system.Release[:])), "microsoft") {
		return false
	}
	return disk.Type == drvFS || disk.Type == unix.V9FS_MAGIC || disk.Type == unix.FUSE_SUPER_MAGIC
}

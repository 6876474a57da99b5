package profile

import (
	"context"
	"io/fs"
)

// ownerDiffers is false: a new file inherits its access list from the
// directory, as the old one did.
func ownerDiffers(_, _ fs.FileInfo) (uid, gid int, differ bool) { return 0, 0, false }

// SyncDir does nothing: Windows has no such call for directories.
func (systemFiles) SyncDir(string) error { return nil }

// lockDirectory does nothing: directories cannot be locked on Windows, and a
// lock on the file would keep it from being replaced. A conflict is detected.
func lockDirectory(context.Context, string) (unlock func(), alone bool) {
	return func() {}, false
}

//go:build unix

package profile

import (
	"context"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

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

// SyncDir makes a rename durable.
func (systemFiles) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// lockWait is how long an edit waits for another one of this tool. Past it
// the edit goes on: a conflict is still detected.
const lockWait = 5 * time.Second

// lockDirectory keeps two edits of this tool from meeting, with an advisory
// lock on the directory itself: no file is left behind, and renaming the
// config file does not lose the lock.
func lockDirectory(ctx context.Context, dir string) (unlock func(), alone bool) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	lock := flock.New(dir, flock.SetFlag(os.O_RDONLY))
	if ok, err := lock.TryLockContext(ctx, 10*time.Millisecond); err != nil || !ok {
		_ = lock.Close()
		return func() {}, false
	}
	return func() { _ = lock.Close() }, true
}

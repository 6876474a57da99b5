//go:build unix

package profile

import (
	"context"
	"os"
	"time"

	"github.com/gofrs/flock"
)

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

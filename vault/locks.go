package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"groat/vault/files"
)

// Holders do a handful of file operations, so that waiting is a matter of how
// many there are: it ends early only where a stopped process (Ctrl-Z) holds
// the lock, which is seen on Linux, and anyhow after lockPatience.
const (
	lockPatience = 2 * time.Minute
	stoppedFor   = 2 * time.Second
)

// Holder is implemented by every vault: a lock by name that all processes of
// this machine which use the same vault share. It is held for a few
// operations, never while somebody is asked, and the system releases it when
// its process dies.
type Holder interface {
	Hold(ctx context.Context, name string) (release func(), err error)
}

// Preparer is implemented by vaults that may have to ask before they can
// write. What takes a lock over several writes prepares first, so that no
// lock is held while somebody is asked.
type Preparer interface {
	Prepare(ctx context.Context) error
}

// Locks is a directory of lock files, created 0700 when first needed. The
// files are empty and are never unlinked: a lock on an unlinked file excludes
// nobody.
type Locks struct {
	Dir     string
	Backend string // for errors
}

// Hold takes the named lock, waiting at most 2 min. Names are ours
// (EncodeName's results or plain words).
func (l Locks) Hold(ctx context.Context, name string) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := (files.Disk{}).MakeFolder(l.Dir); err != nil {
		return nil, l.failed(err)
	}
	path := filepath.Join(l.Dir, name+".lock")
	lock := flock.New(path, flock.SetPermissions(0o600))
	release := func() { _ = lock.Close() }
	if ok, err := lock.TryLock(); err != nil || ok {
		if err != nil {
			release()
			return nil, l.failed(err)
		}
		noteHolder(path)
		return release, nil
	}
	// The system queues those who block, so that none starves among many;
	// who polls has to be lucky.
	taken := make(chan error, 1)
	go func() { taken <- lock.Lock() }()
	patience := time.NewTimer(lockPatience)
	defer patience.Stop()
	look := time.NewTicker(stoppedFor / 4)
	defer look.Stop()
	stopped := 0 // looks in a row that found the holder stopped
	for {
		var err error
		select {
		case err := <-taken:
			if err != nil {
				release()
				return nil, l.failed(err)
			}
			noteHolder(path)
			return release, nil
		case <-look.C:
			if !holderStopped(path) {
				stopped = 0
				continue
			}
			if stopped++; stopped < 4 {
				continue
			}
			err = l.failed(errors.New("a stopped process holds its lock"))
		case <-ctx.Done():
			err = ctx.Err()
		case <-patience.C:
			err = l.failed(fmt.Errorf("it has been busy for more than %v", lockPatience))
		}
		go func() { // given up: let go of it when it comes after all
			<-taken //nolint:errcheck // locked or not, the file is closed
			release()
		}()
		return nil, err
	}
}

func (l Locks) failed(err error) error {
	remedy := "look for a stopped groat process, or try again"
	var access *files.AccessError
	if errors.As(err, &access) {
		remedy = access.Remedy
	} else if errors.As(err, new(*fs.PathError)) { // read-only, full, forbidden
		remedy = "check that " + l.Dir + " can be written"
	}
	return &Error{Op: "lock", Backend: l.Backend, Err: because(ErrUnavailable, "%w", err), Remedy: remedy}
}

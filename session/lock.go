package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gofrs/flock"
)

// A lock is a file under the lock directory, held by the operating system's
// advisory lock: it goes with the process, however that ends. Lock files are
// never unlinked, or two processes could hold two files of one name.
//
// A stopped process (Ctrl-Z at a prompt) keeps its lock. Those who wait then
// go on to the next lane, a lock file of its own beside the first: whoever
// holds a lane while every lane before it is held by a stopped process may
// mint. When the stopped process wakes up, two may be minting; each stores a
// whole entry, and a token code is used once at most (UsedCodes).
const maxLanes = 8

// How waiting is paced: polls start close together, because a mint takes
// about a tenth of a second, and thin out.
const (
	firstPoll    = 8 * time.Millisecond
	lastPoll     = 40 * time.Millisecond
	saySoon      = time.Second     // a person is being asked elsewhere
	sayLate      = 5 * time.Second // whatever the reason
	lockFileMode = 0o600
	lockDirMode  = 0o700
)

// heldLock is the context key under which a mint finds its own lock.
type heldLock struct{}

// held is a lock in hand; the zero lane means that locking was impossible.
type held struct {
	c     *Cache
	lane  *flock.Flock
	path  string
	label string
	rec   record
	outer *held // of the mint that this one is part of
}

// lockFileName is free of whatever a serial or a key may contain.
func lockFileName(kind, name string) string {
	sum := sha256.Sum256([]byte(name))
	return kind + "-" + hex.EncodeToString(sum[:16])
}

func holderLabel(profile string) string {
	pid := "process " + strconv.Itoa(os.Getpid())
	if profile == "" {
		return pid
	}
	return fmt.Sprintf("%s, profile %q", pid, profile)
}

// acquire waits for the lock. While another holds it, reread is called after
// each attempt that left something to read; when that finds what was wanted,
// acquire returns ended = true and no lock. It returns the restored error of
// an attempt that ended finally while this call waited. If the lock directory
// cannot be used, it warns once and returns a lock that locks nothing.
//
// outer is the lock of the mint that this one is part of, if there is one:
// those who wait for it learn whom it waits for itself.
func (c *Cache) acquire(ctx context.Context, name, label string, outer *held, reread func() (bool, error)) (l *held, ended bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, false, err
	}
	w := &wait{c: c, base: filepath.Join(c.LockDir, name), label: label, outer: outer, since: time.Now()}
	defer w.over()
	if err := w.prepare(); err != nil {
		return w.unlocked(err), false, nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for poll := firstPoll; ; poll = min(poll*3/2, lastPoll) {
		select {
		case <-ctx.Done():
			return nil, false, fmt.Errorf("gave up waiting for %s: %w", w.holder(), context.Cause(ctx))
		case <-timer.C:
		}
		l, err := w.try()
		if err != nil {
			return w.unlocked(err), false, nil
		}
		over, err := w.news(reread)
		if over || err != nil {
			l.unlock()
			return nil, over, err
		}
		if l != nil {
			return l, false, nil
		}
		if c.Pointless != nil && c.Pointless() {
			return &held{c: c, label: label, outer: outer}, false, nil
		}
		if poll == firstPoll {
			c.debugf("waiting for %s", w.holder())
		}
		w.say()
		timer.Reset(poll)
	}
}

// begin says in the lock file who works under it.
func (l *held) begin() {
	l.rec = record{Done: l.rec.Done, PID: os.Getpid(), Started: startOf(os.Getpid()), Holder: l.label}
	l.write()
}

// leave takes back what begin said: there was no attempt.
func (l *held) leave() {
	l.rec = record{Done: l.rec.Done}
	l.write()
}

// asks says that a person is being asked, and by whom, here and in every mint
// that this one is part of: whoever waits for a role learns it too.
func (l *held) asks(who string) {
	for ; l != nil; l = l.outer {
		if !l.rec.Asking || l.rec.Holder != who {
			l.rec.Asking, l.rec.Holder = true, who
			l.write()
		}
	}
}

// goesOn says that nobody is being asked any more.
func (l *held) goesOn() {
	for ; l != nil; l = l.outer {
		l.rec.Asking, l.rec.Holder = false, l.label
		l.write()
	}
}

func (l *held) write() {
	if l.lane == nil {
		return
	}
	if err := writeRecord(l.path, l.rec); err != nil {
		l.c.debugf("could not write the lock's record: %v", err)
	}
}

// finish says in the lock file how the attempt ended. It must come after the
// entry was stored and before the lock is released.
func (l *held) finish(stored bool, err error) {
	r := record{Done: l.rec.Done + 1, Stored: stored}
	if err != nil && l.c.Final != nil {
		if code, final := l.c.Final(err); final && code != "" {
			r.Code, r.Message = code, err.Error()
		}
	}
	l.rec = r
	l.write()
}

// unlock releases the lock. It is harmless on nil and the second time.
func (l *held) unlock() {
	if l == nil || l.lane == nil {
		return
	}
	if err := l.lane.Unlock(); err != nil {
		l.c.debugf("could not release a lock: %v", err)
	}
}

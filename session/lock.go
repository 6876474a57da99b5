package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
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

// unlocked is what remains where no lock can be had: minting twice is better
// than no credentials.
func (w *wait) unlocked(err error) *held {
	if c := w.c; !c.warnedLock.Swap(true) {
		c.warn(fmt.Sprintf("could not lock in %q, processes that run at the same time may each ask: %v", c.LockDir, err))
	}
	return &held{c: w.c, label: w.label, outer: w.outer}
}

// wait is one call's wait for a lock.
type wait struct {
	c       *Cache
	base    string
	label   string
	outer   *held
	since   time.Time
	seen    []uint64 // per lane: attempts ended when this wait, or its last re-read, looked
	known   []record // per lane: as last read
	blocked int      // the lane whose living holder is waited for
	told    func()   // what Waiting returned
	passed  bool     // those who wait for this one know whom it waits for
}

func (w *wait) prepare() error {
	if w.c.LockDir == "" {
		return errors.New("no lock directory")
	}
	return os.MkdirAll(w.c.LockDir, lockDirMode)
}

func (w *wait) path(lane int) string {
	if lane == 0 {
		return w.base + ".lock"
	}
	return w.base + "." + strconv.Itoa(lane) + ".lock"
}

// look reads a lane's record and notes, at the first look, where it stood.
func (w *wait) look(lane int) record {
	r := readRecord(w.path(lane))
	if lane == len(w.seen) {
		w.seen, w.known = append(w.seen, r.Done), append(w.known, r)
	}
	if r.Done >= w.known[lane].Done {
		w.known[lane] = r
	}
	return w.known[lane]
}

// try takes the first lane whose predecessors are all held by stopped
// processes. It returns nil, and the lane in w.blocked, if a living process
// holds one. An error means that locks do not work here.
func (w *wait) try() (*held, error) {
	for lane := range maxLanes {
		w.look(lane) // before trying, so that an attempt that ends in between is noticed
		fl := flock.New(w.path(lane), flock.SetPermissions(lockFileMode))
		ok, err := fl.TryLock()
		if err != nil {
			return nil, err
		}
		w.blocked = lane
		if ok {
			h := &held{c: w.c, lane: fl, path: w.path(lane), label: w.label, outer: w.outer}
			// Both ways a process could have slipped in: past a lane whose
			// holder has woken up since, or into a later lane before this
			// one came free.
			if w.stillStopped(lane) && !w.laterLaneInUse(lane) {
				h.rec = w.look(lane)
				return h, nil
			}
			h.unlock()
			return nil, nil
		}
		if r := w.look(lane); !stopped(r.PID, r.Started) {
			return nil, nil
		}
	}
	return nil, fmt.Errorf("%d processes that hold it are stopped", maxLanes)
}

// stillStopped reports whether every lane before this one is still held by a
// stopped process.
func (w *wait) stillStopped(lane int) bool {
	for i := range lane {
		fl := flock.New(w.path(i), flock.SetPermissions(lockFileMode))
		free, err := fl.TryLock()
		_ = fl.Unlock()
		if r := w.look(i); free || err != nil || !stopped(r.PID, r.Started) {
			return false
		}
	}
	return true
}

// laterLaneInUse reports whether a living process holds a lane behind this one.
func (w *wait) laterLaneInUse(lane int) bool {
	for i := lane + 1; i < maxLanes; i++ {
		if _, err := os.Stat(w.path(i)); errors.Is(err, fs.ErrNotExist) {
			return false // lanes come into being in order
		}
		fl := flock.New(w.path(i), flock.SetPermissions(lockFileMode))
		free, _ := fl.TryLock()
		_ = fl.Unlock()
		if r := w.look(i); !free && !stopped(r.PID, r.Started) {
			w.blocked = i
			return true
		}
	}
	return false
}

// news acts on attempts that ended since this wait began: re-reads after one
// that left something, ends with the error of a final failure.
func (w *wait) news(reread func() (bool, error)) (bool, error) {
	for lane, r := range w.known {
		if r.Done <= w.seen[lane] {
			continue
		}
		w.seen[lane] = r.Done
		if r.Code != "" && lane == w.blocked {
			w.c.debugf("the attempt of another process ended with %s", r.Code)
			if err := w.c.restore(r); err != nil {
				return false, err
			}
		}
		if r.Stored && reread != nil {
			if ok, err := reread(); ok || err != nil {
				return ok, err
			}
		}
	}
	return false, nil
}

func (c *Cache) restore(r record) error {
	if c.Restore != nil {
		return c.Restore(r.Code, r.Message)
	}
	return fmt.Errorf("%w: %s", ErrEnded, r.Message)
}

// holder names whom this wait is for.
func (w *wait) holder() string {
	if w.blocked < len(w.known) && w.known[w.blocked].Holder != "" {
		return w.known[w.blocked].Holder
	}
	return "another process"
}

// say tells whom this process waits for: a person, once for each, and at once
// those who wait for this one.
func (w *wait) say() {
	if w.blocked >= len(w.known) {
		return
	}
	r, after := w.known[w.blocked], sayLate
	if r.Asking {
		w.outer.asks(w.holder())
		w.passed, after = true, saySoon
	}
	if w.told != nil || w.c.Waiting == nil || time.Since(w.since) < after {
		return
	}
	w.told = func() {}
	if _, known := w.c.toldOf.LoadOrStore(w.holder(), true); known {
		return
	}
	if over := w.c.Waiting(w.holder(), r.Asking); over != nil {
		w.told = over
	}
}

// over ends what say began.
func (w *wait) over() {
	if w.told != nil {
		w.told()
	}
	if w.passed {
		w.outer.goesOn()
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

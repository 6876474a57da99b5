// Package flight is single flight across processes: of all that want the same
// at the same time one works, under a lock of the operating system, and the
// others wait for it and share its outcome.
package flight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
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
// work. When the stopped process wakes up, two may be working: what they do
// must bear that.
const maxLanes = 8

// How waiting is paced: looks start close together, because an attempt takes
// about a tenth of a second, and thin out; further where they take long, or a
// crowd that waits would leave no time to the one it waits for.
const (
	firstPoll    = 8 * time.Millisecond
	lastPoll     = 40 * time.Millisecond
	busyPoll     = 250 * time.Millisecond
	pollShare    = 25              // of a wait, one part may be spent looking
	saySoon      = time.Second     // a person is being asked elsewhere
	sayLate      = 5 * time.Second // whatever the reason
	lockFileMode = 0o600
)

// ErrEnded is the failure of another process's attempt that this one was
// waiting for, where the group's Outcomes do not know better.
var ErrEnded = errors.New("the attempt this one was waiting for failed")

// Group is what shares a directory of lock files. It is safe for concurrent
// use and must not be copied once used.
type Group struct {
	Dir    string               // created 0700; empty or unwritable: no locks, with one warning
	Warn   func(msg string)     // one line, no secrets; nil drops it
	Debugf func(string, ...any) // nil drops it

	// Waiting is told, once for each and after a moment, whom this process
	// waits for ("process 4711, profile \"admin\"") and whether that one is
	// asking: a person may have to answer a prompt in another window. It
	// returns what is to be called when the wait is over. Nil drops it.
	Waiting func(holder string, asking bool) (over func())
	// Outcomes says which failures end the wait of others. Nil: none does, and
	// each that waits makes its own attempt.
	Outcomes Outcomes
	// Arrived reports that what is waited for came by another road, so that a
	// wait ends without a lock. It is asked at every look. Nil: never.
	Arrived func() bool

	warnedLock atomic.Bool
	toldOf     sync.Map // holders that Waiting was told of
}

// Outcomes carries failures from the process that made an attempt to those
// that waited for it.
type Outcomes interface {
	// Final is the stable code of a failure that ends the wait of every process
	// that was already waiting; "" for one that is this process's own.
	Final(err error) (code string)
	// Restore turns the code of another process's final failure back into an
	// error of the same class, and words it: nothing else passes. Nil: it is
	// none for this process, which goes on waiting.
	Restore(code string) error
}

// Work is what one process does for all that want it.
type Work struct {
	Name string // of the attempts of one name, one runs at a time
	For  string // the profile, for those who are told whom they wait for; may be empty
	// Look reports whether the wanted is there already. It is asked after each
	// attempt of another process that left something, and under the lock.
	Look func() (bool, error)
	// Attempt runs under the lock. Calls of the group inside it must be given
	// its context. left says that there is something for others to look at.
	Attempt func(ctx context.Context) (left bool, err error)
}

// Do makes the attempt, or finds by Look what another process left. While
// another process works, Do waits for as long as ctx allows. It ends with that
// process's failure if Outcomes calls it final; if the other process dies, is
// stopped or fails otherwise, this one (or another that waits) makes the
// attempt. Where locks cannot be used, Do warns once and works without.
func (g *Group) Do(ctx context.Context, w Work) error {
	outer, _ := ctx.Value(heldLock{}).(*held)
	label := holderLabel(w.For)
	if outer != nil {
		label = outer.label // people know the profile that they asked for
	}
	l, ended, err := g.acquire(ctx, lockFileName("key", w.Name), label, outer, w.Look)
	if err != nil || ended {
		return err
	}
	defer l.unlock()
	l.begin()
	if ok, err := w.Look(); ok || err != nil {
		l.leave()
		return err
	}
	left, err := w.Attempt(context.WithValue(ctx, heldLock{}, l))
	l.finish(left, err)
	return err
}

// Ask waits until no other process asks a person for the named thing (a token
// code of a device, a sign-in, a passphrase). Hold it from before the question
// until it is known what the answer was worth, then call release with that
// outcome (nil: it was good). A failure that Outcomes calls final ends the wait
// of all who were already waiting; any other error, and a nil one, lets the
// next of them ask. Where locks cannot be used, Ask warns once and returns
// without one.
//
// Inside an Attempt the context must be the one the attempt was given: those
// who wait for it then learn that somebody is being asked.
func (g *Group) Ask(ctx context.Context, name string) (release func(error), err error) {
	label := holderLabel("")
	outer, _ := ctx.Value(heldLock{}).(*held)
	if outer != nil {
		label = outer.label
	}
	l, _, err := g.acquire(ctx, lockFileName("mfa", name), label, outer, nil)
	if err != nil {
		return nil, err
	}
	l.begin()
	l.asks(label)
	return func(err error) {
		l.finish(false, err)
		l.unlock()
	}, nil
}

// heldLock is the context key under which an attempt finds its own lock.
type heldLock struct{}

// held is a lock in hand; the zero lane means that locking was impossible.
type held struct {
	g     *Group
	lane  *flock.Flock
	path  string
	label string
	rec   record
	outer *held // of the attempt that this one is part of
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
// outer is the lock of the attempt that this one is part of, if there is one:
// those who wait for it learn whom it waits for itself.
func (g *Group) acquire(ctx context.Context, name, label string, outer *held, reread func() (bool, error)) (l *held, ended bool, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, false, err
	}
	w := &wait{g: g, base: filepath.Join(g.Dir, name), label: label, outer: outer, since: time.Now()}
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
		began := time.Now()
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
		if g.Arrived != nil && g.Arrived() {
			return &held{g: g, label: label, outer: outer}, false, nil
		}
		if poll == firstPoll {
			g.debugf("waiting for %s", w.holder())
		}
		w.say()
		timer.Reset(max(poll, min(pollShare*time.Since(began), busyPoll)))
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

// asks says that a person is being asked, and by whom, here and in every attempt
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
		l.g.debugf("could not write the lock's record: %v", err)
	}
}

// finish says in the lock file how the attempt ended. It must come after the
// entry was stored and before the lock is released.
func (l *held) finish(stored bool, err error) {
	r := record{Done: l.rec.Done + 1, Stored: stored}
	if err != nil && l.g.Outcomes != nil {
		if code := l.g.Outcomes.Final(err); code != "" {
			r.Code = code
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
		l.g.debugf("could not release a lock: %v", err)
	}
}

func (g *Group) warn(msg string) {
	if g.Warn != nil {
		g.Warn(msg)
	}
}

func (g *Group) debugf(format string, args ...any) {
	if g.Debugf != nil {
		g.Debugf(format, args...)
	}
}

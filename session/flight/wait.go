package flight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"groat/vault/files"
)

// unlocked is what remains where no lock can be had: working twice is better
// than not at all.
func (w *wait) unlocked(err error) *held {
	if g := w.g; !g.warnedLock.Swap(true) {
		g.warn(fmt.Sprintf("could not lock in %q, so processes that run at the same time may each ask: %v", g.Dir, err))
	}
	return &held{g: w.g, label: w.label, outer: w.outer}
}

// wait is one call's wait for a lock.
type wait struct {
	g         *Group
	base      string
	label     string
	outer     *held
	since     time.Time
	seen      []uint64 // per lane: attempts ended when this wait, or its last re-read, looked
	last      []record // per lane: as last read
	blocked   int      // the lane whose living holder is waited for
	endNotice func()   // what Waiting returned
	passed    bool     // those who wait for this one know whom it waits for
}

func (w *wait) prepare() error {
	if w.g.Dir == "" {
		return errors.New("no lock directory")
	}
	return files.Disk{}.MakeFolder(w.g.Dir)
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
		w.seen, w.last = append(w.seen, r.Done), append(w.last, r)
	}
	if r.Done >= w.last[lane].Done {
		w.last[lane] = r
	}
	return w.last[lane]
}

// try takes the first lane whose predecessors are all held by stopped
// processes. It returns nil, and the lane in w.blocked, if a living process
// holds one. An error means that locks do not work here.
func (w *wait) try() (*held, error) {
	for lane := range maxLanes {
		if lane == len(w.seen) {
			w.look(lane) // before trying, so that an attempt that ends in between is noticed
		}
		fl := flock.New(w.path(lane), flock.SetPermissions(lockFileMode))
		ok, err := fl.TryLock()
		if err != nil {
			return nil, err
		}
		w.blocked = lane
		if ok {
			h := &held{g: w.g, lane: fl, path: w.path(lane), label: w.label, outer: w.outer}
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
	for lane, r := range w.last {
		if r.Done <= w.seen[lane] {
			continue
		}
		w.seen[lane] = r.Done
		if r.Code != "" && lane == w.blocked {
			w.g.debugf("the attempt of another process ended with %s", r.Code)
			if err := w.g.restore(r); err != nil {
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

func (g *Group) restore(r record) error {
	if g.Outcomes != nil {
		return g.Outcomes.Restore(r.Code)
	}
	return fmt.Errorf("%w: %s", ErrEnded, r.Code)
}

// holder names whom this wait is for.
func (w *wait) holder() string {
	if w.blocked < len(w.last) && w.last[w.blocked].Holder != "" {
		return w.last[w.blocked].Holder
	}
	return "another process"
}

// say tells whom this process waits for: a person, once for each, and at once
// those who wait for this one.
func (w *wait) say() {
	if w.blocked >= len(w.last) {
		return
	}
	r, after := w.last[w.blocked], sayLate
	if r.Asking {
		w.outer.asks(w.holder())
		w.passed, after = true, saySoon
	}
	if w.endNotice != nil || w.g.Waiting == nil || r.PID == os.Getpid() || time.Since(w.since) < after {
		return
	}
	w.endNotice = func() {}
	if _, known := w.g.toldOf.LoadOrStore(w.holder(), true); known {
		return
	}
	if over := w.g.Waiting(w.holder(), r.Asking); over != nil {
		w.endNotice = over
	}
}

// over ends what say began.
func (w *wait) over() {
	if w.endNotice != nil {
		w.endNotice()
	}
	if w.passed {
		w.outer.goesOn()
	}
}

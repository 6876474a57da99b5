package flight

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWaitingIsSaidOnceAndNotAtOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		waited time.Duration
		asking bool
		want   bool
	}{
		{"just begun", 0, true, false},
		{"a person is asked", saySoon + time.Millisecond, true, true},
		{"something else", saySoon + time.Millisecond, false, false},
		{"for long", sayLate + time.Millisecond, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var said []string
			over := 0
			g := &Group{Waiting: func(holder string, asking bool) func() {
				said = append(said, holder)
				if asking != tt.asking {
					t.Errorf("asking: %v", asking)
				}
				return func() { over++ }
			}}
			w := &wait{g: g, since: time.Now().Add(-tt.waited), last: []record{{Holder: "process 1", Asking: tt.asking}}}
			for range 3 {
				w.say()
			}
			if tt.want && (len(said) != 1 || said[0] != "process 1") || !tt.want && len(said) != 0 {
				t.Errorf("said %q", said)
			}
			if w.over(); over != len(said) {
				t.Errorf("ended %d times, said %q", over, said)
			}
			// Another wait for the same process is nothing new.
			again := &wait{g: g, since: w.since, last: w.last}
			if again.say(); len(said) > 1 {
				t.Errorf("said again: %q", said)
			}
		})
	}
}

func TestATornRecordIsNoNews(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.lock")
	if r := readRecord(path); r != (record{}) {
		t.Errorf("without a file: %+v", r)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := record{PID: 7, Started: "8", Holder: "process 7", Done: 3}
	if err := writeRecord(path, want); err != nil {
		t.Fatal(err)
	}
	if r := readRecord(path); r != want {
		t.Errorf("got %+v", r)
	}
	w := &wait{g: &Group{}, base: filepath.Join(dir, "x")}
	w.look(0)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[40] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := w.look(0); r != want {
		t.Errorf("a torn record is believed: %+v", r)
	}
}

// outcomes calls every failure final and restores it as the error it holds.
type outcomes struct{ restored error }

func (outcomes) Final(error) string { return "cancelled" }

func (o outcomes) Restore(code string) error {
	if code != "cancelled" {
		return errors.New("garbled: " + code)
	}
	return o.restored
}

func TestErrorsOfOthersKeepTheirClass(t *testing.T) {
	mine := errors.New("mine")
	r := record{Code: "cancelled"}
	if err := (&Group{}).restore(r); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
	g := &Group{Outcomes: outcomes{mine}}
	if err := g.restore(r); !errors.Is(err, mine) {
		t.Error(err)
	}
}

// What a failure says may repeat what was typed or sent: none of it is written.
func TestFailuresLeaveNoTextInLockFiles(t *testing.T) {
	const secret = "123456 wJalrXUtnFEMI"
	g := &Group{Dir: filepath.Join(t.TempDir(), "locks"), Outcomes: outcomes{}}
	w := Work{
		Name: "n", Look: func() (bool, error) { return false, nil },
		Attempt: func(context.Context) (bool, error) { return false, errors.New(secret) },
	}
	if err := g.Do(t.Context(), w); err == nil {
		t.Fatal("no failure")
	}
	release, err := g.Ask(t.Context(), "device")
	if err != nil {
		t.Fatal(err)
	}
	release(errors.New(secret))
	files, _ := filepath.Glob(filepath.Join(g.Dir, "*"))
	if len(files) != 2 {
		t.Fatalf("lock files: %q", files)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte("cancelled")) || bytes.Contains(b, []byte("123456")) || bytes.Contains(b, []byte("wJalr")) {
			t.Errorf("%v: %s", err, b)
		}
	}
}

func TestThisProcessIsNotStopped(t *testing.T) {
	pid := os.Getpid()
	if stopped(pid, startOf(pid)) || stopped(0, "") || stopped(-1, "") || stopped(1<<30, "") {
		t.Error("believed to be stopped")
	}
}

// work is an attempt whose outcome nobody has left before.
func work(name string, attempt func(ctx context.Context) error) Work {
	return Work{Name: name, For: name, Look: func() (bool, error) { return false, nil }, Attempt: func(ctx context.Context) (bool, error) {
		return true, attempt(ctx)
	}}
}

func (g *Group) recordOf(kind, name string) record {
	return readRecord(filepath.Join(g.Dir, lockFileName(kind, name)) + ".lock")
}

func TestAskingIsSaidInEveryAttemptAround(t *testing.T) {
	g := &Group{Dir: filepath.Join(t.TempDir(), "locks")}
	asks := func(name string) bool { return g.recordOf("key", name).Asking }
	err := g.Do(t.Context(), work("role", func(ctx context.Context) error {
		return g.Do(ctx, work("parent", func(ctx context.Context) error {
			if asks("role") || asks("parent") {
				t.Error("asking is said before anybody is asked")
			}
			release, err := g.Ask(ctx, "serial")
			if err != nil {
				return err
			}
			if !asks("role") || !asks("parent") {
				t.Errorf("asking is said for the role: %v, for its parent: %v", asks("role"), asks("parent"))
			}
			release(nil)
			return nil
		}))
	}))
	if err != nil {
		t.Fatal(err)
	}
	if asks("role") || asks("parent") {
		t.Error("asking is said after it is over")
	}
}

// Who waits for a process that waits itself learns whom it comes down to.
func TestAWaitIsPassedOn(t *testing.T) {
	g := &Group{Dir: filepath.Join(t.TempDir(), "locks")}
	read := func() record { return g.recordOf("key", "role") }
	release, err := g.Ask(t.Context(), "serial")
	if err != nil {
		t.Fatal(err)
	}
	other := g.recordOf("mfa", "serial")
	if !other.Asking {
		t.Fatalf("the device's record %+v", other)
	}
	other.Holder = "process 4711"
	if err := writeRecord(filepath.Join(g.Dir, lockFileName("mfa", "serial"))+".lock", other); err != nil {
		t.Fatal(err)
	}
	err = g.Do(t.Context(), work("role", func(ctx context.Context) error {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for r := read(); !r.Asking || r.Holder != "process 4711"; r = read() {
				time.Sleep(time.Millisecond)
			}
			release(nil)
		}()
		again, err := g.Ask(ctx, "serial")
		<-done
		if err != nil {
			return err
		}
		if r := read(); !r.Asking || r.Holder != holderLabel("role") {
			t.Errorf("while it asks itself: %+v", r)
		}
		again(nil)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
}

// A failure that Restore makes nothing of is none: the wait goes on.
func TestAFailureOfOthersMayBeIgnored(t *testing.T) {
	w := &wait{g: &Group{Outcomes: outcomes{}}, seen: []uint64{0}, last: []record{{Done: 1, Code: "cancelled"}}}
	if over, err := w.news(nil); over || err != nil {
		t.Errorf("%v, %v", over, err)
	}
}

// Whoever holds the lock says so before anything else: a process stopped in
// between would be waited for.
func TestHolderIsNamedBeforeTheLook(t *testing.T) {
	g := &Group{Dir: filepath.Join(t.TempDir(), "locks")}
	looks, attempts, found := 0, 0, false
	w := work("role", func(context.Context) error { attempts++; return nil })
	w.Look = func() (bool, error) {
		if looks++; g.recordOf("key", "role").PID != os.Getpid() {
			t.Error("the look is taken under a lock of nobody")
		}
		return found, nil
	}
	if err := g.Do(t.Context(), w); err != nil || looks != 1 || attempts != 1 {
		t.Fatalf("%v after %d looks and %d attempts", err, looks, attempts)
	}
	found = true
	if err := g.Do(t.Context(), w); err != nil || attempts != 1 {
		t.Fatalf("%v after %d attempts", err, attempts)
	}
	if r := g.recordOf("key", "role"); r.PID != 0 || r.Done != 1 {
		t.Errorf("left behind: %+v", r)
	}
}

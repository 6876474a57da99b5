package session

import (
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
			c := &Cache{Waiting: func(holder string, asking bool) func() {
				said = append(said, holder)
				if asking != tt.asking {
					t.Errorf("asking: %v", asking)
				}
				return func() { over++ }
			}}
			w := &wait{c: c, since: time.Now().Add(-tt.waited), known: []record{{Holder: "process 1", Asking: tt.asking}}}
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
			again := &wait{c: c, since: w.since, known: w.known}
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
	w := &wait{c: &Cache{}, base: filepath.Join(dir, "x")}
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

func TestErrorsOfOthersKeepTheirClass(t *testing.T) {
	mine := errors.New("mine")
	r := record{Code: "cancelled", Message: "the prompt was cancelled"}
	if err := (&Cache{}).restore(r); !errors.Is(err, ErrEnded) {
		t.Error(err)
	}
	c := &Cache{Restore: func(code, message string) error {
		if code != r.Code || message != r.Message {
			t.Errorf("restore got %q, %q", code, message)
		}
		return mine
	}}
	if err := c.restore(r); !errors.Is(err, mine) {
		t.Error(err)
	}
}

func TestThisProcessIsNotStopped(t *testing.T) {
	pid := os.Getpid()
	if stopped(pid, startOf(pid)) || stopped(0, "") || stopped(-1, "") || stopped(1<<30, "") {
		t.Error("believed to be stopped")
	}
}

func TestAskingIsSaidInEveryMintAround(t *testing.T) {
	c, _, _, _ := testCache(t)
	role, parent := testRequest("role"), testRequest("parent")
	asks := func(r Request) bool {
		return readRecord(filepath.Join(c.LockDir, lockFileName("key", string(r.Key))) + ".lock").Asking
	}
	n := 0
	_, err := c.Do(t.Context(), role, func(ctx context.Context) (Credentials, error) {
		_, err := c.Do(ctx, parent, func(ctx context.Context) (Credentials, error) {
			if asks(role) || asks(parent) {
				t.Error("asking is said before anybody is asked")
			}
			release, err := c.LockDevice(ctx, "serial")
			if err != nil {
				return Credentials{}, err
			}
			if !asks(role) || !asks(parent) {
				t.Errorf("asking is said for the role: %v, for its parent: %v", asks(role), asks(parent))
			}
			release(nil)
			return countingMint(&n, c.Now)(ctx)
		})
		if err != nil {
			return Credentials{}, err
		}
		return countingMint(&n, c.Now)(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	if asks(role) || asks(parent) {
		t.Error("asking is said after it is over")
	}
}

// Who waits for a process that waits itself learns whom it comes down to.
func TestAWaitIsPassedOn(t *testing.T) {
	c, _, _, _ := testCache(t)
	role := testRequest("role")
	read := func() record {
		return readRecord(filepath.Join(c.LockDir, lockFileName("key", string(role.Key))) + ".lock")
	}
	release, err := c.LockDevice(t.Context(), "serial")
	if err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(c.LockDir, lockFileName("mfa", "serial")) + ".lock"
	other := readRecord(device)
	if !other.Asking {
		t.Fatalf("the device's record %+v", other)
	}
	other.Holder = "process 4711"
	if err := writeRecord(device, other); err != nil {
		t.Fatal(err)
	}
	n := 0
	_, err = c.Do(t.Context(), role, func(ctx context.Context) (Credentials, error) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for r := read(); !r.Asking || r.Holder != "process 4711"; r = read() {
				time.Sleep(time.Millisecond)
			}
			release(nil)
		}()
		again, err := c.LockDevice(ctx, "serial")
		<-done
		if err != nil {
			return Credentials{}, err
		}
		if r := read(); !r.Asking || r.Holder != holderLabel(role.Info.Profile) {
			t.Errorf("while it asks itself: %+v", r)
		}
		again(nil)
		return countingMint(&n, c.Now)(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A failure that Restore makes nothing of is none: the wait goes on.
func TestAFailureOfOthersMayBeIgnored(t *testing.T) {
	c := &Cache{Restore: func(string, string) error { return nil }}
	w := &wait{c: c, seen: []uint64{0}, known: []record{{Done: 1, Code: "cancelled"}}}
	if over, err := w.news(nil); over || err != nil {
		t.Errorf("%v, %v", over, err)
	}
}

// Whoever holds the lock says so before anything else: a process stopped in
// between would be waited for.
func TestHolderIsNamedBeforeTheReread(t *testing.T) {
	c, store, _, _ := testCache(t)
	req := testRequest("role")
	path := filepath.Join(c.LockDir, lockFileName("key", string(req.Key))) + ".lock"
	reads := 0
	store.fail = func(op, _ string) error {
		if op == "get" {
			if reads++; reads == 2 && readRecord(path).PID != os.Getpid() {
				t.Error("the second look is taken under a lock of nobody")
			}
		}
		return nil
	}
	n := 0
	if _, err := c.Do(t.Context(), req, countingMint(&n, c.Now)); err != nil || reads < 2 {
		t.Fatalf("%v after %d reads", err, reads)
	}
	// The first look comes too early, the second one finds it.
	reads = 0
	store.fail = func(op, _ string) error {
		if op == "get" {
			if reads++; reads == 1 {
				return ErrNotFound
			}
		}
		return nil
	}
	if _, err := c.Do(t.Context(), req, countingMint(&n, c.Now)); err != nil || n != 1 {
		t.Fatalf("%v, minted %d times", err, n)
	}
	if r := readRecord(path); r.PID != 0 || r.Done != 1 {
		t.Errorf("left behind: %+v", r)
	}
}

package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestManyColdProcessesMintOnce(t *testing.T) {
	const processes = 100
	dir := t.TempDir()
	holder := start(t, "do", dir, "admin")
	holder.expect("minting")
	var others []*proc
	for range processes - 1 {
		others = append(others, start(t, "do", dir, "admin"))
	}
	for _, p := range others {
		p.expect("debug waiting for")
	}
	holder.order("mint")
	want := holder.expect("got")
	for _, p := range others {
		if got := p.next("got", "error", "minting"); got != want {
			t.Errorf("%q, want %q; all: %q", got, want, p.all)
		}
	}
}

func TestNextProceedsWhenTheHolderIsKilled(t *testing.T) {
	dir := t.TempDir()
	holder := start(t, "do", dir, "admin")
	holder.expect("minting")
	waiter := start(t, "do", dir, "admin")
	waiter.expect("debug waiting for process")
	if err := holder.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	waiter.expect("minting")
	waiter.order("mint")
	waiter.expect("got")
}

func TestCancelEndsForAllWhoWaited(t *testing.T) {
	dir := t.TempDir()
	holder := start(t, "do", dir, "admin")
	holder.expect("minting")
	var waiters []*proc
	for range 10 {
		waiters = append(waiters, start(t, "do", dir, "admin"))
	}
	for _, p := range waiters {
		p.expect("debug waiting for")
	}
	holder.order("cancel")
	holder.expect("error cancelled=true")
	for _, p := range waiters {
		if got := p.next("error", "got", "minting"); !strings.HasPrefix(got, "error cancelled=true elsewhere: ") {
			t.Errorf("a waiter: %q of %q", got, p.all)
		}
	}
	later := start(t, "do", dir, "admin")
	later.expect("minting")
	later.order("mint")
	later.expect("got")
}

func TestOtherFailureIsTheHoldersOwn(t *testing.T) {
	dir := t.TempDir()
	holder := start(t, "do", dir, "admin")
	holder.expect("minting")
	waiter := start(t, "do", dir, "admin")
	waiter.expect("debug waiting for")
	holder.order("fail")
	holder.expect("error cancelled=false")
	waiter.expect("minting")
	waiter.order("mint")
	waiter.expect("got")
}

func TestOneQuestionPerDeviceAtATime(t *testing.T) {
	dir := t.TempDir()
	var procs []*proc
	for i := range 6 {
		procs = append(procs, start(t, "device", dir, fmt.Sprintf("role-%d", i)))
	}
	var wg sync.WaitGroup
	for _, p := range procs {
		p.order("mint")
		wg.Go(func() {
			if got := p.next("got", "error"); !strings.HasPrefix(got, "got") {
				t.Errorf("a process ended with %q", got)
			}
		})
	}
	wg.Wait()
	marks, err := os.ReadFile(filepath.Join(dir, "trace"))
	if want := strings.Repeat("+-", len(procs)); err != nil || string(marks) != want {
		t.Errorf("questions began (+) and ended (-) as %s, want %s; %v", marks, want, err)
	}
}

func TestCancelledQuestionEndsForAllWhoWaitForTheDevice(t *testing.T) {
	dir := t.TempDir()
	first := start(t, "device", dir, "role-1")
	first.expect("asking")
	second := start(t, "device", dir, "role-2")
	second.expect("debug waiting for process")
	third := start(t, "device", dir, "role-2") // behind the second's entry, not the device
	third.expect("debug waiting for process")
	first.order("cancel")
	first.expect("error cancelled=true")
	second.expect("error cancelled=true")
	third.expect("error cancelled=true")
	last := start(t, "device", dir, "role-2")
	last.expect("asking")
	last.order("mint")
	last.expect("got")
}

func TestACodeIsUsedOnceAmongProcesses(t *testing.T) {
	dir := t.TempDir()
	var procs []*proc
	for range 20 {
		procs = append(procs, start(t, "used", dir, ""))
	}
	for _, p := range procs {
		p.expect("ready")
	}
	for _, p := range procs {
		p.order("go")
	}
	fresh := 0
	for _, p := range procs {
		switch got := p.expect("fresh"); got {
		case "fresh true <nil>":
			fresh++
		case "fresh false <nil>":
		default:
			t.Error(got, p.all)
		}
	}
	if fresh != 1 {
		t.Errorf("%d processes may use the code", fresh)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	c, _, _, _ := testCache(t)
	blocked := make(chan struct{})
	c.Flight.Debugf = func(format string, _ ...any) {
		if strings.HasPrefix(format, "waiting for") {
			close(blocked)
		}
	}
	release := make(chan struct{})
	holder := make(chan error)
	minting := make(chan struct{})
	go func() {
		_, err := c.Do(t.Context(), testRequest("admin"), func(context.Context) (Credentials, error) {
			close(minting)
			<-release
			return testCredentials(1, testNow.Add(time.Hour)), nil
		})
		holder <- err
	}()
	<-minting
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	go func() {
		<-blocked
		cancel(interrupted)
	}()
	_, err := c.Do(ctx, testRequest("admin"), func(context.Context) (Credentials, error) {
		t.Error("minted beside the holder")
		return Credentials{}, nil
	})
	if !errors.Is(err, interrupted) || !strings.Contains(err.Error(), fmt.Sprintf("process %d, profile \"admin\"", os.Getpid())) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-holder; err != nil {
		t.Error(err)
	}
}

func TestLockFilesHoldNoSecret(t *testing.T) {
	c, _, _, _ := testCache(t)
	if _, err := c.Do(t.Context(), testRequest("admin"), func(ctx context.Context) (Credentials, error) {
		release, err := c.Flight.Ask(ctx, "arn:aws:iam::123456789012:mfa/me")
		if err != nil {
			return Credentials{}, err
		}
		if fresh, err := c.UsedCodes().Use(ctx, "arn:aws:iam::123456789012:mfa/me", "654321", 0); !fresh || err != nil {
			t.Error(fresh, err)
		}
		release(nil)
		return testCredentials(7, testNow.Add(time.Hour)), nil
	}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	walk(t, c.Flight.Dir, func(path string, mode os.FileMode, data string) {
		seen++
		for _, secret := range []string{"654321", "secret" + strings.Repeat("x", 34), "token-7"} {
			if strings.Contains(data, secret) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		if mode.Perm()&0o077 != 0 && os.PathSeparator == '/' {
			t.Errorf("%s has mode %v", path, mode)
		}
	})
	if seen < 4 {
		t.Errorf("only %d files were seen", seen)
	}
}

//go:build unix

package session

import (
	"fmt"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// limitFileSize makes every write to a file of this process fail, as a full
// disk does.
func limitFileSize() {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 0, Max: 0}); err != nil {
		panic(err)
	}
}

func TestFullDiskStillDelivers(t *testing.T) {
	dir := t.TempDir()
	var procs []*proc
	for range 5 {
		procs = append(procs, start(t, "full", dir, "admin"))
	}
	for _, p := range procs {
		p.expect("warned could not cache the session")
		p.expect("got")
	}
}

func TestAStoppedHolderIsPassedBy(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("stopped processes are seen on Linux and macOS only")
	}
	dir := t.TempDir()
	var sleepers []*proc
	for range 3 {
		p := start(t, "do", dir, "admin")
		p.expect("minting")
		if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		waitStopped(t, p)
		sleepers = append(sleepers, p)
	}
	holder := start(t, "do", dir, "admin")
	holder.expect("minting")
	waiter := start(t, "do", dir, "admin")
	waiter.expect(fmt.Sprintf("debug waiting for process %d", holder.cmd.Process.Pid))
	holder.order("mint")
	want := holder.expect("got")
	if got := waiter.next("got", "minting"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// What wakes up finishes its own mint and disturbs nobody.
	for _, p := range sleepers {
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		p.order("mint")
		p.expect("got")
	}
	if got := start(t, "do", dir, "admin").next("got", "minting"); !strings.HasPrefix(got, "got") {
		t.Errorf("afterwards: %q", got)
	}
}

func TestAHolderThatWakesUpIsWaitedFor(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("stopped processes are seen on Linux and macOS only")
	}
	dir := t.TempDir()
	first := start(t, "do", dir, "admin")
	first.expect("minting")
	_ = first.cmd.Process.Signal(syscall.SIGSTOP)
	waitStopped(t, first)
	second := start(t, "do", dir, "admin")
	second.expect("minting")
	_ = first.cmd.Process.Signal(syscall.SIGCONT)
	first.order("fail")
	first.expect("error")
	// The first lane is free now; the second is in use all the same.
	third := start(t, "do", dir, "admin")
	third.expect("debug waiting for")
	second.order("mint")
	want := second.expect("got")
	if got := third.next("got", "minting"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// waitStopped waits until the system says so: the signal is delivered later
// than it is sent.
func waitStopped(t *testing.T, p *proc) {
	t.Helper()
	for {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(p.cmd.Process.Pid)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(state), "T") {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("the process was never stopped")
		}
		runtime.Gosched()
	}
}

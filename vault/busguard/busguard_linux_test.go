package busguard_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"groat/vault/busguard"
)

// build compiles one of the programs in testdata.
func build(t *testing.T, name string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", "build", "-o", out, "./testdata/"+name)
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, b)
	}
	return out
}

// countingBus accepts connections on a Unix socket, counts them and hangs up.
func countingBus(t *testing.T) (address string, dials func() int64) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // t.TempDir can exceed a socket path's 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	var own int64
	return "unix:path=" + filepath.Join(dir, "bus"), func() int64 {
		// A connection of our own: once it is hung up on, whatever was queued
		// before it has been counted.
		c, err := net.Dial("unix", filepath.Join(dir, "bus"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		own++
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		c.Read(make([]byte, 1))
		return n.Load() - own
	}
}

// fakeLaunch puts a dbus-launch first in PATH that leaves a mark when run.
func fakeLaunch(t *testing.T) (path string, ran func() bool) {
	t.Helper()
	dir := t.TempDir()
	mark := filepath.Join(dir, "ran")
	script := "#!/bin/sh\n: > '" + mark + "'\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir + ":" + os.Getenv("PATH"), func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}

func TestNothingDialsOrLaunchesABus(t *testing.T) {
	guarded, bare := build(t, "guarded"), build(t, "bare")
	t.Run("address set", func(t *testing.T) {
		address, dials := countingBus(t)
		run := func(prog string) []string {
			cmd := exec.Command(prog)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "FIRST=1", busguard.Variable + "=" + address, "LAST=1"}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			return strings.Split(strings.TrimSpace(string(out)), "\n")
		}
		out := run(guarded)
		if n := dials(); n != 0 {
			t.Errorf("the guarded program dialled the bus %d times", n)
		}
		if !slices.Contains(out, busguard.Variable+"="+address) {
			t.Errorf("children do not get the real address: %q", out)
		}
		run(bare)
		if n := dials(); n == 0 {
			t.Error("the unguarded program did not dial either: this test proves nothing")
		}
	})
	t.Run("address not set", func(t *testing.T) {
		path, ran := fakeLaunch(t)
		run := func(prog string) string {
			cmd := exec.Command(prog)
			cmd.Env = []string{"PATH=" + path}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		out := run(guarded)
		if ran() {
			t.Error("the guarded program ran dbus-launch")
		}
		if strings.Contains(out, busguard.Variable) {
			t.Errorf("children get a variable that was not set:\n%s", out)
		}
		if _, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus")); err == nil {
			t.Log("this user has a bus, which the unguarded program would find: it is not run")
			return
		}
		run(bare)
		if !ran() {
			t.Error("the unguarded program did not run dbus-launch: this test proves nothing")
		}
	})
}

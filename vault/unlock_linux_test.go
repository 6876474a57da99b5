package vault

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestKernelMemory uses the real user keyring, under a random id.
func TestKernelMemory(t *testing.T) {
	var id [16]byte
	var key, other vaultKey
	for _, b := range [][]byte{id[:], key[:], other[:]} {
		_, _ = rand.Read(b)
	}
	m := kernelMemory{}
	t.Cleanup(func() { _ = m.drop(id) })
	if err := m.store(id, other, 1, time.Minute); errors.Is(err, ErrNoUnlockMemory) {
		if strings.Contains(os.Getenv("GROAT_TEST_BACKENDS"), "keyctl") {
			t.Fatalf("the kernel keyring was promised: %v", err)
		}
		t.Skipf("no kernel keyring here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	if err := m.store(id, key, 2, 90*time.Minute); err != nil { // replaces
		t.Fatal(err)
	}
	if got, ok := m.load(id); !ok || got.key != key || got.generation != 2 || got.left <= time.Hour || got.left > 90*time.Minute {
		t.Fatalf("load: %v, right key %v, generation %d, left %v", ok, got.key == key, got.generation, got.left)
	}
	serial, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "user", memoryName(id), 0)
	if err != nil {
		t.Fatal(err)
	}
	if desc, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, serial); err != nil || desc[:5] != "user;" {
		t.Errorf("describe: %q, %v", desc, err)
	}
	// A later process, in a session keyring of its own, must find it.
	t.Run("other session", func(t *testing.T) {
		keyctl, err := exec.LookPath("keyctl")
		if err != nil {
			t.Skip("keyctl is not installed")
		}
		out, err := exec.Command(keyctl, "session", "groat-test", keyctl, "search", "@u", "user", memoryName(id)).Output()
		if err != nil || len(out) == 0 {
			t.Fatalf("search: %q, %v", out, err)
		}
		out, err = exec.Command(keyctl, "session", "groat-test", "sh", "-c", `keyctl pipe "$(keyctl search @u user "$1")"`, "sh", memoryName(id)).Output()
		if err != nil || !strings.HasPrefix(string(out), string(key[:])) {
			t.Fatalf("read from another session: %d bytes, %v", len(out), err)
		}
	})
	if err := m.drop(id); err != nil {
		t.Fatal(err)
	}
	if _, ok := m.load(id); ok {
		t.Error("the key is still there after drop")
	}
	if err := m.drop(id); err != nil {
		t.Errorf("second drop: %v", err)
	}
	for _, d := range []time.Duration{0, -time.Second, 1 << 62} {
		if err := m.store(id, key, 2, d); err == nil {
			t.Errorf("a key was remembered for %v", d)
		}
	}
}

// TestKernelMemoryTimeout asks the kernel for the time-out and the rights.
func TestKernelMemoryTimeout(t *testing.T) {
	var id [16]byte
	_, _ = rand.Read(id[:])
	m := kernelMemory{}
	t.Cleanup(func() { _ = m.drop(id) })
	if err := m.store(id, vaultKey{1}, 1, time.Hour); err != nil {
		t.Skipf("no kernel keyring here: %v", err)
	}
	// What the kernel says of the time-out: /proc/keys shows "59m" or "60m".
	data, err := os.ReadFile("/proc/keys")
	if err != nil {
		t.Skip("no /proc/keys")
	}
	want := memoryName(id)
	for _, line := range strings.Split(string(data), "\n") {
		if strings.Contains(line, want) {
			if !strings.Contains(line, " 59m ") && !strings.Contains(line, " 60m ") && !strings.Contains(line, "  1h ") {
				t.Errorf("time-out in %q, want about an hour", line)
			}
			if !strings.Contains(line, "3f3f0000") {
				t.Errorf("rights in %q, want 3f3f0000", line)
			}
			return
		}
	}
	t.Errorf("%s is not in /proc/keys", want)
}

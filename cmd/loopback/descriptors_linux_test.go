package loopback

import (
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// With one descriptor left, which the connection takes, the kernel can still
// be asked whose it is.
func TestOtherUserWhenDescriptorsRunOut(t *testing.T) {
	s := serve(t, Options{Handler: hello})
	connect := stranger(t, s.Addr)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 200
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) }()
	var files []*os.File
	defer func() {
		for _, f := range files {
			_ = f.Close()
		}
	}()
	for {
		f, err := os.Open("/")
		if err != nil {
			break
		}
		files = append(files, f)
	}
	_ = files[len(files)-1].Close()
	if got := connect(); got != "end" {
		t.Errorf("another user got %q", got)
	}
}

// What the kernel does not answer counts against the asker.
func TestUnknownUserIsNotOwn(t *testing.T) {
	s := serve(t, Options{Handler: hello})
	l := &limited{peers: &peers{fd: -1}}
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if l.isOwn(c) {
		t.Error("a connection whose user is not known counts as this user's")
	}
}

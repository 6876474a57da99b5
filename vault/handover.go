//go:build linux || darwin

package vault

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// handover passes the vault key between processes of one user that run at the
// same time and were all given the passphrase, so that one of them derives
// it. It goes through a socket beside the locks: who derives listens first,
// and each taker is given the listening socket with the key, which so stays
// open until the last of them ends. See docs/decisions/0096.
type handover struct {
	path string

	mu       sync.Mutex
	taking   chan taken // an attempt under way; nil: none
	listener *net.UnixListener
	accepted chan struct{} // closed when nobody accepts any more; nil: never served
	answers  sync.WaitGroup
}

// taken is what an attempt brought; no listener: nothing.
type taken struct {
	key      vaultKey
	listener *net.UnixListener
}

const (
	handoverName = "passphrase.sock"
	// handoverPatience bounds one exchange once the other side could answer;
	// more is a sign of a stopped process.
	handoverPatience = 5 * time.Second
)

func newHandover(locks string) *handover { return &handover{path: filepath.Join(locks, handoverName)} }

// take gives the key that somebody handed over, and begins to ask where
// nobody was asked yet. With a wait it asks until it has an answer, at most
// for that long. A taken key is served on.
func (h *handover) take(ctx context.Context, proof []byte, opens func(vaultKey) bool, wait time.Duration) (vaultKey, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	patience := time.NewTimer(wait)
	defer patience.Stop()
	for range 2 { // an attempt may have failed before somebody listened
		if h.taking == nil {
			h.taking = make(chan taken, 1)
			go func(answer chan<- taken) { answer <- h.ask(proof) }(h.taking)
		}
		select {
		case got := <-h.taking:
			h.taking = nil
			if got.listener != nil && opens(got.key) {
				h.stop()
				h.listener = got.listener
				h.serveHeld(proof, got.key)
				return got.key, true
			}
			if got.listener != nil {
				_ = got.listener.Close()
			}
			if wait == 0 {
				return vaultKey{}, false
			}
		case <-patience.C:
			return vaultKey{}, false
		case <-ctx.Done():
			return vaultKey{}, false
		}
	}
	return vaultKey{}, false
}

// ask connects to who serves and answers its challenge. It waits for as long
// as that one takes to derive; where it ends, the connection does.
func (h *handover) ask(proof []byte) (got taken) {
	path, done := socketPath(h.path)
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	done()
	if err != nil {
		return got
	}
	defer func() { _ = conn.Close() }()
	var challenge [32]byte
	if !sameUser(conn) {
		return got
	}
	if _, err := io.ReadFull(conn, challenge[:]); err != nil {
		return got
	}
	_ = conn.SetDeadline(time.Now().Add(handoverPatience))
	if _, err := conn.Write(sign(proof, challenge[:])); err != nil {
		return got
	}
	data, rights := make([]byte, len(got.key)), make([]byte, syscall.CmsgSpace(4))
	n, rn, _, _, err := conn.ReadMsgUnix(data, rights)
	defer clear(data)
	files := received(rights[:max(rn, 0)])
	if err != nil || n != len(got.key) || len(files) != 1 {
		for _, f := range files {
			_ = f.Close()
		}
		return got
	}
	l, err := net.FileListener(files[0]) // a copy
	_ = files[0].Close()
	if err != nil {
		return got
	}
	listener, ok := l.(*net.UnixListener)
	if !ok {
		_ = l.Close()
		return got
	}
	copy(got.key[:], data)
	got.listener = listener
	return got
}

// received are the files that came with a message.
func received(rights []byte) (files []*os.File) {
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), handoverName))
		}
	}
	return files
}

// listen lets others begin to wait. The caller holds the lock under which the
// key is derived, so that a socket which is there belongs to nobody who could
// answer. Where it cannot be made, everyone derives in turn.
func (h *handover) listen() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop()
	_ = os.Remove(h.path)
	path, done := socketPath(h.path)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	done()
	if err != nil {
		return
	}
	_ = os.Chmod(h.path, 0o600)
	l.SetUnlinkOnClose(false) // others may serve it on, or another one by now
	h.listener = l
}

// serve answers those who wait, until close.
func (h *handover) serve(proof []byte, key vaultKey) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listener != nil {
		h.serveHeld(proof, key)
	}
}

func (h *handover) serveHeld(proof []byte, key vaultKey) {
	l, done := h.listener, make(chan struct{})
	h.accepted = done
	go func() {
		defer close(done)
		for {
			conn, err := l.AcceptUnix()
			if err == nil {
				h.answers.Go(func() { answer(conn, l, proof, key) })
				continue
			}
			// At the end those who wait already are still answered: nobody
			// else may be left to do it.
			if !errors.Is(err, os.ErrDeadlineExceeded) || !pending(l) {
				return
			}
			_ = l.SetDeadline(time.Now().Add(10 * time.Millisecond)) // another process may be quicker
		}
	}()
}

// answer gives the key to a process of the same user that has the passphrase.
func answer(conn *net.UnixConn, l *net.UnixListener, proof []byte, key vaultKey) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(handoverPatience))
	var challenge, proved [32]byte
	_, _ = rand.Read(challenge[:]) // never fails (crypto/rand since Go 1.24)
	if !sameUser(conn) {
		return
	}
	if _, err := conn.Write(challenge[:]); err != nil {
		return
	}
	if _, err := io.ReadFull(conn, proved[:]); err != nil || !hmac.Equal(proved[:], sign(proof, challenge[:])) {
		return
	}
	control(l, func(fd int) { _, _, _ = conn.WriteMsgUnix(key[:], syscall.UnixRights(fd), nil) })
}

// sameUser reports whether the process at the other end runs as this one does.
func sameUser(conn *net.UnixConn) (same bool) {
	control(conn, func(fd int) {
		uid, err := peerUID(fd)
		same = err == nil && uid == os.Geteuid()
	})
	return same
}

// pending reports whether somebody has knocked and was not let in.
func pending(l *net.UnixListener) (waits bool) {
	control(l, func(fd int) {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		waits = err == nil && n > 0
	})
	return waits
}

func control(c syscall.Conn, do func(fd int)) {
	raw, err := c.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}

// close ends serving. Who is being answered, or has knocked, still gets the key.
func (h *handover) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop()
}

func (h *handover) stop() {
	if h.listener == nil {
		return
	}
	if h.accepted != nil {
		_ = h.listener.SetDeadline(time.Now())
		<-h.accepted
		h.answers.Wait()
	}
	_ = h.listener.Close()
	h.listener, h.accepted = nil, nil
}

// proofOf is what those who have the passphrase of this very header share.
func proofOf(passphrase, header []byte) []byte {
	return sign(passphrase, append([]byte("groat handover\x00"), header...))
}

func sign(key, text []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(text)
	return m.Sum(nil)
}

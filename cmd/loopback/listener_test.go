package loopback

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// stranger is a program of another user that connects when it is told to,
// asks, and passes on the first line of the answer.
func stranger(t *testing.T, addr string) (connect func() string) {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("only Linux tells whose a connection is, and only root can be another user")
	}
	host, port, _ := net.SplitHostPort(addr)
	c := exec.CommandContext(t.Context(), "bash", "-c",
		`trap '' PIPE; read -r; exec 3<>/dev/tcp/$0/$1; printf 'GET / HTTP/1.1\r\nHost: %s\r\n\r\n' "$0:$1" >&3 2>/dev/null; head -n 1 <&3; echo end`, host, port)
	c.SysProcAttr = otherUser()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = c.Wait() })
	lines := bufio.NewReader(out)
	return func() string {
		_, _ = io.WriteString(in, "\n")
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Errorf("the other user's program said nothing: %v", err)
		}
		return strings.TrimSpace(line)
	}
}

func hello(string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
}

// Another user of the machine reaches the port and gets nothing.
func TestOnlyOwnUser(t *testing.T) {
	s := serve(t, Options{Handler: hello})
	if resp, body := ask(t, "GET", "http://"+s.Addr, func(*http.Request) {}); resp.StatusCode != 200 || body != "hello" {
		t.Errorf("own request: %d %q", resp.StatusCode, body)
	}
	if got := stranger(t, s.Addr)(); got != "end" {
		t.Errorf("another user got %q", got)
	}
	if got := stranger(t, serve(t, Options{Handler: hello, AnyUser: true}).Addr)(); !strings.Contains(got, "200") {
		t.Errorf("another user who may ask got %q", got)
	}
}

// Whoever holds connections takes no more than their number; the next are
// served when one ends.
func TestConnectionsAreCapped(t *testing.T) {
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := limit(tcp, false)
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, maxOwn+10)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	for range cap(accepted) {
		c, err := net.Dial("tcp4", tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	taken := make([]net.Conn, 0, cap(accepted))
	for range maxOwn {
		taken = append(taken, <-accepted)
	}
	for i := range 5 {
		if n := len(accepted); n > 0 {
			t.Fatalf("%d connections more than %d", n, maxOwn)
		}
		_ = taken[i].Close()
		_ = taken[i].Close() // gives its room back once
		taken = append(taken, <-accepted)
	}
	_ = l.Close()
	for range accepted { // Accept does not wait for room any more
		t.Error("accepted after the end")
	}
	l.release()
	for _, c := range taken {
		_ = c.Close()
	}
}

package vault_test

import (
	"bufio"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

// fakeBus is a session bus in this process: it speaks the wire protocol,
// counts what is called, and answers as a test wants, silence included.
type fakeBus struct {
	t       *testing.T
	address string
	serve   func(*busCall) // called for every method call but Hello

	serving sync.Mutex // held while serve runs

	mu    sync.Mutex
	calls []string
	conns []net.Conn
}

// busCall is one method call. A call that is neither answered nor failed
// stays without an answer.
type busCall struct {
	dest, path, method string
	args               []any
	bus                *fakeBus
	conn               net.Conn
	serial             uint32
}

func newFakeBus(t *testing.T, serve func(*busCall)) *fakeBus {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // t.TempDir can exceed a socket path's 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	b := &fakeBus{t: t, address: "unix:path=" + filepath.Join(dir, "bus"), serve: serve}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			b.conns = append(b.conns, conn)
			b.mu.Unlock()
			wg.Go(func() { b.talk(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		b.hangUp()
		wg.Wait()
		os.RemoveAll(dir)
	})
	return b
}

// environ is the environment of somebody on this bus; with a screen if display.
func (b *fakeBus) environ(display bool) []string {
	env := []string{"DBUS_SESSION_BUS_ADDRESS=" + b.address}
	if display {
		env = append(env, "DISPLAY=:0")
	}
	return env
}

// hangUp closes all connections, as a bus that dies.
func (b *fakeBus) hangUp() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		c.Close()
	}
	b.conns = nil
}

// counted gives the calls since the last time.
func (b *fakeBus) counted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

func (b *fakeBus) talk(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	if _, err := r.ReadByte(); err != nil {
		return
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		answer := ""
		switch words := strings.Fields(line); {
		case words[0] == "AUTH" && len(words) == 1:
			answer = "REJECTED EXTERNAL"
		case words[0] == "AUTH":
			answer = "OK 0123456789abcdef0123456789abcdef"
		case words[0] == "BEGIN":
			b.messages(conn, r)
			return
		default:
			answer = "ERROR"
		}
		if _, err := conn.Write([]byte(answer + "\r\n")); err != nil {
			return
		}
	}
}

func (b *fakeBus) messages(conn net.Conn, r *bufio.Reader) {
	for {
		msg, err := dbus.DecodeMessage(r)
		if err != nil {
			return
		}
		header := func(f dbus.HeaderField) string {
			switch v := msg.Headers[f].Value().(type) {
			case string:
				return v
			case dbus.ObjectPath:
				return string(v)
			}
			return ""
		}
		c := &busCall{dest: header(dbus.FieldDestination), path: header(dbus.FieldPath), args: msg.Body,
			method: header(dbus.FieldInterface) + "." + header(dbus.FieldMember), bus: b, conn: conn, serial: msg.Serial()}
		b.mu.Lock()
		b.calls = append(b.calls, header(dbus.FieldMember))
		b.mu.Unlock()
		switch c.method {
		case "org.freedesktop.DBus.Hello":
			c.reply(":1.1")
		case "org.freedesktop.DBus.AddMatch", "org.freedesktop.DBus.RemoveMatch":
			c.reply()
		default:
			b.serving.Lock()
			b.serve(c)
			b.serving.Unlock()
		}
	}
}

func (c *busCall) send(msg *dbus.Message) {
	if len(msg.Body) > 0 {
		msg.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(msg.Body...))
	}
	c.bus.mu.Lock()
	defer c.bus.mu.Unlock()
	if err := msg.EncodeTo(c.conn, binary.LittleEndian); err != nil && !strings.Contains(err.Error(), "closed") && !strings.Contains(err.Error(), "broken pipe") {
		c.bus.t.Errorf("fake bus: %v", err)
	}
}

func (c *busCall) reply(body ...any) {
	c.send(&dbus.Message{Type: dbus.TypeMethodReply, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(c.serial), dbus.FieldSender: dbus.MakeVariant(":1.0")}})
}

func (c *busCall) fail(name, text string) {
	c.send(&dbus.Message{Type: dbus.TypeError, Body: []any{text}, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(c.serial), dbus.FieldErrorName: dbus.MakeVariant(name), dbus.FieldSender: dbus.MakeVariant(":1.0")}})
}

// signal sends a signal from an object.
func (c *busCall) signal(path, iface, member string, body ...any) {
	c.send(&dbus.Message{Type: dbus.TypeSignal, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath: dbus.MakeVariant(dbus.ObjectPath(path)), dbus.FieldInterface: dbus.MakeVariant(iface),
		dbus.FieldMember: dbus.MakeVariant(member), dbus.FieldSender: dbus.MakeVariant(":1.0")}})
}

// nobody answers as the bus does when nobody has the name that is called.
func nobody(c *busCall) {
	if c.method == "org.freedesktop.DBus.NameHasOwner" {
		c.reply(false)
		return
	}
	c.fail("org.freedesktop.DBus.Error.ServiceUnknown", "The name "+c.dest+" was not provided by any .service files")
}

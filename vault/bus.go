//go:build linux

package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"

	"groat/vault/fault"
)

// How long the session bus may take, each bounded by Config.Timeout as well.
const (
	busConnectTimeout = 5 * time.Second
	busCallTimeout    = 10 * time.Second // nobody is asked
)

// getProperty reads one property: interface, name.
const getProperty = "org.freedesktop.DBus.Properties.Get"

// bus is a connection to the session bus of its own: it is never launched,
// never shared with a library, and every call on it ends in time.
type bus struct {
	conn *dbus.Conn
	life context.Context // ends with the connection
	kill context.CancelFunc
	call time.Duration // bound of one call that asks nobody

	mu    sync.Mutex
	early map[string]<-chan *dbus.Call // sent ahead and not taken yet
}

// busAddress finds the session bus in the given environment. As libdbus does
// it takes DBUS_SESSION_BUS_ADDRESS, then the socket in XDG_RUNTIME_DIR (for
// cron and the like: the user's own below /run/user); what libdbus does next,
// launching a bus, we never do.
func busAddress(environ []string) (string, error) {
	if a := lookup(environ, "DBUS_SESSION_BUS_ADDRESS"); a != "" && !strings.HasPrefix(a, "autolaunch:") {
		return a, nil
	}
	dir := lookup(environ, "XDG_RUNTIME_DIR")
	if dir == "" {
		dir = "/run/user/" + strconv.Itoa(os.Getuid())
	}
	socket := filepath.Join(dir, "bus")
	info, err := os.Stat(socket)
	if err != nil || info.Mode()&os.ModeSocket == 0 {
		return "", errors.New("no session bus: DBUS_SESSION_BUS_ADDRESS is not set and there is no " + socket)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Getuid() {
		return "", errors.New("the session bus " + socket + " belongs to somebody else")
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(socket), nil
}

// dialBus connects and says hello (one call). timeout is Config.Timeout.
func dialBus(ctx context.Context, environ []string, timeout time.Duration) (*bus, error) {
	address, err := busAddress(environ)
	if err != nil {
		return nil, because(ErrUnavailable, "%w", err)
	}
	dialCtx, cancel := context.WithTimeout(ctx, min(timeout, busConnectTimeout))
	defer cancel()
	type result struct {
		conn *dbus.Conn
		err  error
	}
	done := make(chan result, 1)
	life, kill := context.WithCancel(context.Background())
	go func() { // neither connect(2) nor the handshake takes a context
		conn, err := dbus.Connect(address, dbus.WithContext(life))
		done <- result{conn, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			kill()
			return nil, because(ErrUnavailable, "could not reach the session bus: %w", r.err)
		}
		return &bus{conn: r.conn, life: life, kill: kill, call: min(timeout, busCallTimeout)}, nil
	case <-dialCtx.Done():
		kill() // closes the connection, now or when it comes to be
		return nil, busError(dialCtx, dialCtx.Err(), "the session bus")
	}
}

func (b *bus) close() error {
	defer b.kill()
	return b.conn.Close()
}

// ask calls a method that asks nobody, within the bound of one call.
func (b *bus) ask(ctx context.Context, dest string, path dbus.ObjectPath, method string, args ...any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, b.call)
	defer cancel()
	return b.wait(ctx, dest, path, method, args...)
}

// request is a call on the bus.
type request struct {
	dest   string
	path   dbus.ObjectPath
	method string
	args   []any
}

func (r request) key() string {
	return fmt.Sprintf("%q %q %q %v", r.dest, r.path, r.method, r.args)
}

// ahead sends calls that are about to be made, in this order; the next equal
// call takes the answer. What is sent together is answered in one go: where
// each call waits for the one before, most of the time goes into waking the
// service and us.
func (b *bus) ahead(requests ...request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.early == nil {
		b.early = map[string]<-chan *dbus.Call{}
	}
	for i, done := range b.send(b.life, requests...) {
		b.early[requests[i].key()] = done
	}
}

func (b *bus) takeEarly(r request) <-chan *dbus.Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.early) == 0 {
		return nil
	}
	key := r.key()
	done := b.early[key]
	delete(b.early, key)
	return done
}

// send sends calls on a road of their own: sending blocks too, on a bus that
// has stopped reading.
func (b *bus) send(ctx context.Context, requests ...request) []chan *dbus.Call {
	done := make([]chan *dbus.Call, len(requests))
	for i := range done {
		done[i] = make(chan *dbus.Call, 1)
	}
	go func() {
		for i, r := range requests {
			b.conn.Object(r.dest, r.path).GoWithContext(ctx, r.method, 0, done[i], r.args...)
		}
	}()
	return done
}

// wait calls a method and waits as long as ctx allows: a dialog may be open.
func (b *bus) wait(ctx context.Context, dest string, path dbus.ObjectPath, method string, args ...any) ([]any, error) {
	r := request{dest, path, method, args}
	done := b.takeEarly(r)
	if done == nil {
		done = b.send(ctx, r)[0]
	}
	select {
	case call := <-done:
		if call.Err != nil {
			return nil, busError(ctx, call.Err, dest)
		}
		return call.Body, nil
	case <-ctx.Done():
		return nil, busError(ctx, ctx.Err(), dest)
	}
}

// property reads one property (one call).
func (b *bus) property(ctx context.Context, dest string, path dbus.ObjectPath, iface, name string, value any) error {
	body, err := b.ask(ctx, dest, path, getProperty, iface, name)
	if err != nil {
		return err
	}
	var v dbus.Variant
	if err := store(body, &v); err != nil {
		return err
	}
	return store([]any{v.Value()}, value)
}

// properties reads one property of many objects: many calls are sent before
// the first answer is waited for. Objects that have gone meanwhile are left out.
func (b *bus) properties(ctx context.Context, dest string, paths []dbus.ObjectPath, iface, name string) ([]any, error) {
	const window = 64 // buses limit the replies that one client may await
	values := make([]any, 0, len(paths))
	for len(paths) > 0 {
		n := min(window, len(paths))
		some, err := b.propertiesAtOnce(ctx, dest, paths[:n], iface, name)
		if err != nil {
			return nil, err
		}
		values, paths = append(values, some...), paths[n:]
	}
	return values, nil
}

func (b *bus) propertiesAtOnce(ctx context.Context, dest string, paths []dbus.ObjectPath, iface, name string) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, b.call)
	defer cancel()
	calls := make([]*dbus.Call, len(paths))
	for i, p := range paths {
		calls[i] = b.conn.Object(dest, p).GoWithContext(ctx, getProperty, 0, make(chan *dbus.Call, 1), iface, name)
	}
	var values []any
	for _, c := range calls {
		switch <-c.Done; {
		case isNoObject(c.Err):
		case c.Err != nil:
			return nil, busError(ctx, c.Err, dest)
		default:
			var v dbus.Variant
			if err := store(c.Body, &v); err != nil {
				return nil, err
			}
			values = append(values, v.Value())
		}
	}
	return values, nil
}

// store puts a reply's values where they belong; a reply of another shape is
// an error, never a panic.
func store(body []any, values ...any) error {
	if err := dbus.Store(body, values...); err != nil {
		return because(ErrUnavailable, "unexpected answer on the session bus")
	}
	return nil
}

// busFault reports whether err is one of the named D-Bus errors.
func busFault(err error, names ...string) bool {
	var e dbus.Error
	if !errors.As(err, &e) {
		return false
	}
	for _, n := range names {
		if e.Name == n {
			return true
		}
	}
	return false
}

// busError gives a failed call one of the vault's sentinels. who is the bus
// name that was called.
func busError(ctx context.Context, err error, who string) error {
	fail := func(text string) error { return fault.New(text, "", errors.Join(ErrUnavailable, err)) }
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled):
		return fmt.Errorf("interrupted: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fail(who + " did not answer in time")
	case busFault(err, "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"):
		return fail(who + " is not on the session bus")
	case busFault(err, "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Disconnected"):
		return fail(who + " ended before it answered")
	case errors.Is(err, dbus.ErrClosed):
		return fail("the session bus hung up")
	case faultName(err) != "":
		return fail(strings.TrimPrefix(faultName(err), "org.freedesktop.") + ": " + err.Error())
	}
	return fail("the session bus hung up: " + err.Error())
}

// hasDisplay reports whether a dialog could be seen by somebody.
func hasDisplay(environ []string) bool {
	return lookup(environ, "WAYLAND_DISPLAY") != "" || lookup(environ, "DISPLAY") != ""
}

// isNoObject reports that a service has no object of the path that was
// called; services say so in several ways.
func isNoObject(err error) bool {
	return busFault(err, ssErrObject, "org.freedesktop.DBus.Error.UnknownObject",
		"org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownInterface")
}

func faultName(err error) string {
	var e dbus.Error
	if errors.As(err, &e) {
		return e.Name
	}
	return ""
}

// CheckBus says why the session bus that the environment names does not
// answer; nil where it names none, as on a machine without a desktop.
func CheckBus(ctx context.Context, cfg Config) error {
	if _, err := busAddress(cfg.Environ); err != nil {
		return nil
	}
	b, err := dialBus(ctx, cfg.Environ, cmp.Or(cfg.Timeout, busConnectTimeout))
	if err != nil {
		return err
	}
	return b.close()
}

package cmd

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"groat/vault/vaulttest/desktop"
)

// busSocket listens where a session bus would, and hands connections to serve.
func busSocket(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bus") // a socket's path has 108 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait(); os.RemoveAll(dir) })
	return "unix:path=" + filepath.Join(dir, "bus")
}

// No command that does not need a bus dials, launches or leaks one: not before
// main, where the keyring library would, and not after.
func TestNoCommandTouchesABus(t *testing.T) {
	o := newOutside(t)
	o.cold()
	o.credentials("admin")
	var dials atomic.Int64
	address := busSocket(t, func(net.Conn) { dials.Add(1) })
	fake := t.TempDir()
	mark := filepath.Join(fake, "launched")
	if err := os.WriteFile(filepath.Join(fake, "dbus-launch"), []byte("#!/bin/sh\necho $PPID >> '"+mark+"'\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	without := slices.DeleteFunc(slices.Clone(o.environ), func(kv string) bool {
		return strings.HasPrefix(kv, "PATH=") || strings.HasPrefix(kv, "GROAT_BACKEND=") || strings.HasPrefix(kv, "XDG_RUNTIME_DIR=")
	})
	// "auto" is what people have: the record of the key is what keeps it off the bus.
	without = append(without, "PATH="+fake+":"+os.Getenv("PATH"), "GROAT_BACKEND=auto", "XDG_RUNTIME_DIR="+t.TempDir())
	with := append(slices.Clone(without), "DBUS_SESSION_BUS_ADDRESS="+address)
	commands := [][]string{
		{"--help"}, {"version"}, {"completion", "bash"}, {"help"}, {"nonsense"},
		{"credential-process", "admin"}, {"credential-process", "nobody"}, {"explain", "readonly"}, {"list"}, {"exec", "admin", "--", "env"},
	}
	runs := 0
	for range 5 {
		for _, environ := range [][]string{with, without} {
			for _, words := range commands {
				c := exec.Command(o.binary, words...)
				c.Env = environ
				out, _ := c.Output()
				runs++
				if words[0] != "exec" {
					continue
				}
				if has := strings.Contains("\n"+string(out), "\nDBUS_SESSION_BUS_ADDRESS="+address+"\n"); has != (len(environ) == len(with)) {
					t.Errorf("the child's bus address is not what ours was:\n%s", out)
				}
				if strings.Contains(string(out), "DBUS_SESSION_BUS_ADDRESS=disabled") {
					t.Error("the child sees that the bus is withheld")
				}
			}
		}
	}
	if runs < 100 {
		t.Errorf("%d runs", runs)
	}
	if n := dials.Load(); n != 0 {
		t.Errorf("the bus was dialled %d times in %d runs", n, runs)
	}
	if launched, err := os.ReadFile(mark); err == nil {
		t.Errorf("dbus-launch was run: %s", launched)
	}
	// A command that needs the bus does dial it: the counter counts.
	c := exec.Command(o.binary, "list", "--backend", "secret-service")
	c.Env = with
	if err := c.Run(); err == nil {
		t.Error("a bus that hangs up served a list")
	}
	if dials.Load() == 0 {
		t.Error("the Secret Service was not looked for on the bus: this test proves nothing")
	}
}

// A bus that accepts and says nothing: what needs no bus does not notice,
// what needs it ends in time, with a reason.
func TestSilentBus(t *testing.T) {
	needPOSIX(t)
	a := startAWS(t)
	hold := make(chan struct{})
	address := busSocket(t, func(net.Conn) { <-hold })
	t.Cleanup(func() { close(hold) })
	environ := append(a.environment(t), "DBUS_SESSION_BUS_ADDRESS="+address)
	for _, words := range [][]string{{"version"}, {"--help"}, {"list"}} {
		c := exec.Command(groatBinary(t), words...)
		c.Env = environ
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", words, err, out)
		}
	}
	c := exec.Command(groatBinary(t), "list", "--backend", "secret-service")
	c.Env = environ
	out, err := c.CombinedOutput()
	if err == nil || c.ProcessState.ExitCode() != exitVault || !strings.Contains(string(out), "did not answer in time") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A slip of the finger is called one, whatever becomes of the daemon that has
// other keys on record: it hangs up or says nothing.
func TestMistypedProfileWaitsForNoDaemon(t *testing.T) {
	needPOSIX(t)
	var dials atomic.Int64
	var silent atomic.Bool
	hold := make(chan struct{})
	address := busSocket(t, func(net.Conn) {
		dials.Add(1)
		if silent.Load() {
			<-hold
		}
	})
	t.Cleanup(func() { close(hold) })
	home := t.TempDir()
	writeFile(t, filepath.Join(home, ".local", "state", "groat", "backends.json"), `{"keys":{"prod":"secret-service"}}`)
	run := func(backend, name string) (int, string) {
		dials.Store(0)
		c := exec.Command(groatBinary(t), "credential-process", name)
		c.Env = []string{"HOME=" + home, "GROAT_BACKEND=" + backend, "DBUS_SESSION_BUS_ADDRESS=" + address}
		out, _ := c.CombinedOutput()
		return c.ProcessState.ExitCode(), string(out)
	}
	for _, backend := range []string{"auto", "secret-service"} {
		for _, silence := range []bool{false, true} {
			silent.Store(silence)
			if code, out := run(backend, "prdo"); code != exitConfig || !strings.Contains(out, `did you mean "prod"`) {
				t.Errorf("%s, silent %v: exit code %d after %d dials: %s", backend, silence, code, dials.Load(), out)
			}
		}
		silent.Store(false)
		if code, out := run(backend, "prod"); code != exitVault || dials.Load() == 0 {
			t.Errorf("%s, the right name: exit code %d after %d dials: %s", backend, code, dials.Load(), out)
		}
	}
}

// countingBus passes everything on to a real bus and counts the method calls.
type countingBus struct {
	environ []string
	calls   atomic.Int64
}

func newCountingBus(t testing.TB, d *desktop.Desktop) *countingBus {
	t.Helper()
	b := &countingBus{}
	real := strings.TrimPrefix(d.Address(), "unix:path=")
	address := busSocket(t, func(client net.Conn) {
		server, err := net.Dial("unix", real)
		if err != nil {
			return
		}
		defer server.Close()
		go func() { _, _ = io.Copy(client, server); client.Close() }()
		b.pass(client, server)
	})
	b.environ = append(slices.Clone(d.Env), "DBUS_SESSION_BUS_ADDRESS="+address)
	return b
}

// pass copies what a client says: lines until BEGIN, then messages (D-Bus
// specification, "Message Format").
func (b *countingBus) pass(client io.Reader, server io.Writer) {
	line := ""
	for one := make([]byte, 1); line != "BEGIN\r\n"; {
		if strings.HasSuffix(line, "\n") {
			line = ""
		}
		if _, err := io.ReadFull(client, one); err != nil {
			return
		}
		line += string(one)
		if _, err := server.Write(one); err != nil {
			return
		}
		line = strings.TrimPrefix(line, "\x00")
	}
	for header := make([]byte, 16); ; {
		if _, err := io.ReadFull(client, header); err != nil {
			return
		}
		order := binary.ByteOrder(binary.LittleEndian)
		if header[0] == 'B' {
			order = binary.BigEndian
		}
		if header[1] == 1 { // METHOD_CALL
			b.calls.Add(1)
		}
		if _, err := server.Write(header); err != nil {
			return
		}
		fields := (int64(order.Uint32(header[12:])) + 7) &^ 7
		if _, err := io.CopyN(server, client, fields+int64(order.Uint32(header[4:]))); err != nil {
			return
		}
	}
}

// The whole of a day on the desktop's own stores: add, list, two roles for
// one code, the same again without a call to AWS, exec, and gone.
func TestDesktopStores(t *testing.T) {
	for _, c := range []struct {
		backend  string
		programs []string
		start    func(*desktop.Desktop)
		most     int64 // bus calls of a warm credential-process
	}{
		{"secret-service", []string{"dbus-daemon", "gnome-keyring-daemon"}, func(d *desktop.Desktop) { d.GnomeKeyring("pw") }, 6},
		{"kwallet", []string{"dbus-daemon", "kwalletd5"}, func(d *desktop.Desktop) { d.KWallet(); d.OpenKDEWallet() }, 20},
	} {
		t.Run(c.backend, func(t *testing.T) {
			if !slices.Contains(strings.Split(os.Getenv("GROAT_TEST_BACKENDS"), ","), c.backend) {
				t.Skipf("the real %s is not tested: GROAT_TEST_BACKENDS does not name it", c.backend)
			}
			for _, p := range c.programs {
				if _, err := exec.LookPath(p); err != nil {
					t.Fatal(err)
				}
			}
			d := desktop.New(t)
			c.start(d)
			bus := newCountingBus(t, d)
			a := startAWS(t)
			environ := slices.DeleteFunc(a.environment(t), func(kv string) bool { return strings.HasPrefix(kv, "GROAT_") })
			for _, kv := range bus.environ {
				if strings.HasPrefix(kv, "DBUS_") || strings.HasPrefix(kv, "XDG_RUNTIME_DIR=") {
					environ = append(environ, kv)
				}
			}
			run := func(code int, stdin string, words ...string) string {
				t.Helper()
				cmd := exec.Command(groatBinary(t), words...)
				cmd.Env, cmd.Stdin = environ, strings.NewReader(stdin)
				var errs strings.Builder
				cmd.Stderr = &errs
				out, _ := cmd.Output()
				if got := cmd.ProcessState.ExitCode(); got != code {
					t.Fatalf("groat %q: exit code %d, want %d\n%s", words, got, code, errs.String())
				}
				return string(out)
			}
			// Nobody names the backend: "auto" finds the desktop's own.
			run(exitOK, a.key.ID+" "+a.key.Secret+"\n", "add", "default", "--stdin")
			if out := run(exitOK, "", "list", "--json"); !strings.Contains(out, `"backend":"`+c.backend+`"`) && !strings.Contains(out, `"backend": "`+c.backend+`"`) {
				t.Errorf("the key went elsewhere: %s", out)
			}
			a.ResetCalls()
			first := run(exitOK, "", "credential-process", "admin", "--mfa-code", a.device.FreshCode())
			run(exitOK, "", "credential-process", "readonly")
			if calls := strings.Join(a.Names(), " "); calls != "sts:GetSessionToken sts:AssumeRole sts:AssumeRole" {
				t.Errorf("calls %q", calls)
			}
			a.ResetCalls()
			bus.calls.Store(0)
			if again := run(exitOK, "", "credential-process", "admin"); again != first {
				t.Error("the warm answer is another one")
			}
			n := bus.calls.Load()
			t.Logf("%d bus calls for a warm credential-process", n)
			if n == 0 || n > c.most {
				t.Errorf("%d bus calls, want at most %d", n, c.most)
			}
			if len(a.Names()) != 0 {
				t.Errorf("a warm call called %q", a.Names())
			}
			if out := run(exitOK, "", "exec", "admin", "--", "env"); !strings.Contains(out, "\nAWS_SESSION_TOKEN=") {
				t.Errorf("exec: %s", out)
			}
			if out := run(exitOK, "", "list", "--sessions"); out == "" {
				t.Error("no sessions are listed")
			}
			run(exitOK, "", "remove", "--sessions-only", "default")
			run(exitVault, "", "credential-process", "--no-input", "--backend", "file", "default") // the key lies elsewhere
			run(exitOK, "", "remove", "--force", "default")
			run(exitVault, "", "credential-process", "--no-input", "admin")
		})
	}
}

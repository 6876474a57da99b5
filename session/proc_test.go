package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/session/flight"
)

// The tests of several processes run this test binary again: with childEnv
// set, TestMain plays one process that uses the cache, reports what happens
// on stdout, one line each, and takes orders on stdin.
const childEnv = "GROAT_TEST_SESSION_CHILD"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childEnv); mode != "" {
		os.Exit(child(mode, os.Args[1], os.Args[2]))
	}
	os.Exit(m.Run())
}

var (
	errTestCancelled = errors.New("the prompt was cancelled")
	errTestNetwork   = errors.New("network is down")
)

// child is one process. Its orders: "mint" (succeed), "cancel", "fail".
func child(mode, dir, name string) int {
	say := func(format string, args ...any) { fmt.Println(fmt.Sprintf(format, args...)) }
	orders := bufio.NewScanner(os.Stdin)
	order := func() string {
		if !orders.Scan() {
			return "fail"
		}
		return orders.Text()
	}
	c := &Cache{
		Store: dirStore(filepath.Join(dir, "store")), Flight: flight.Group{Dir: filepath.Join(dir, "locks"), Outcomes: testOutcomes{}},
		Warn:   func(msg string) { say("warned %s", msg) },
		Debugf: func(format string, args ...any) { say("debug "+format, args...) },
	}
	c.Flight.Warn, c.Flight.Debugf = c.Warn, c.Debugf
	act := func() error {
		switch o := order(); o {
		case "mint":
			return nil
		case "cancel":
			return errTestCancelled
		default:
			return errTestNetwork
		}
	}
	if mode == "used" {
		say("ready")
		order()
		fresh, err := c.UsedCodes().Use(context.Background(), "serial", "123456", 0)
		say("fresh %v %v", fresh, err)
		return 0
	}
	if mode == "full" {
		limitFileSize()
	}
	creds, err := c.Do(context.Background(), testRequest(name), func(ctx context.Context) (Credentials, error) {
		if mode == "device" {
			release, err := c.Flight.Ask(ctx, "serial")
			if err != nil {
				return Credentials{}, err
			}
			trace(dir, "+")
			say("asking")
			err = act()
			trace(dir, "-")
			release(err)
			if err != nil {
				return Credentials{}, err
			}
			return testCredentials(os.Getpid(), time.Now().Add(time.Hour)), nil
		}
		say("minting")
		if mode == "do" {
			if err := act(); err != nil {
				return Credentials{}, err
			}
		}
		return testCredentials(os.Getpid(), time.Now().Add(time.Hour)), nil
	})
	if err != nil {
		say("error cancelled=%v %v", errors.Is(err, errTestCancelled), err)
		return 1
	}
	say("got %s", creds.SessionToken)
	return 0
}

// trace appends a mark to a file that all processes share.
// testOutcomes: a cancelled prompt ends the wait of all.
type testOutcomes struct{}

func (testOutcomes) Final(err error) string {
	if errors.Is(err, errTestCancelled) {
		return "cancelled"
	}
	return ""
}

func (testOutcomes) Restore(code string) error {
	if code == "cancelled" {
		return fmt.Errorf("elsewhere: %w", errTestCancelled)
	}
	return nil
}

func trace(dir, mark string) {
	f, err := os.OpenFile(filepath.Join(dir, "trace"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteString(mark); err != nil {
		panic(err)
	}
}

// dirStore is a store that processes can share.
type dirStore string

func (d dirStore) path(name string) string { return filepath.Join(string(d), name) }

func (d dirStore) Get(_ context.Context, name string) ([]byte, error) {
	data, err := os.ReadFile(d.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, ErrNotFound
	}
	return data, err
}

func (d dirStore) Put(_ context.Context, name string, data []byte) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	tmp := d.path(fmt.Sprintf(".%s.%d", name, os.Getpid()))
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, d.path(name))
}

func (d dirStore) Remove(_ context.Context, name string) error { return os.Remove(d.path(name)) }

func (d dirStore) Names(context.Context) ([]string, error) {
	entries, err := os.ReadDir(string(d))
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// proc is a running child.
type proc struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	all   []string
}

// start runs a child that shares dir; the test's end kills it.
func start(t *testing.T, mode, dir, name string) *proc {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &proc{t: t, cmd: exec.Command(self, dir, name), lines: make(chan string, 1000)}
	p.cmd.Env = append(os.Environ(), childEnv+"="+mode)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-read
		_ = p.cmd.Wait()
	})
	return p
}

func (p *proc) order(o string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, o+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// next gives the child's next line that begins with one of the words; the
// child's end gives "".
func (p *proc) next(words ...string) string {
	p.t.Helper()
	// A hang must end with what was said, not with the test binary's limit.
	limit := time.After(time.Minute)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return ""
			}
			p.all = append(p.all, line)
			for _, w := range words {
				if strings.HasPrefix(line, w) {
					return line
				}
			}
		case <-limit:
			p.t.Fatalf("process %d: no line %q within a minute, only %q", p.cmd.Process.Pid, words, p.all)
		}
	}
}

func (p *proc) expect(word string) string {
	p.t.Helper()
	line := p.next(word)
	if line == "" {
		p.t.Fatalf("the process ended without %q: %q", word, p.all)
	}
	return line
}

package iam

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"groat/session"
)

// gate stands before every call of AWS and every operation of the vault, and
// lets one of them go wrong: not done at all, or done and not said; once, or
// as the last thing that this process did.
type gate struct {
	at    int  // the operation that goes wrong, from 1; 0: none
	after bool // it is done, and its answer lost
	kill  bool // nothing is done after it

	mu     sync.Mutex
	n      int
	dead   bool
	cancel context.CancelFunc // ends a killed process's waiting
}

// context is that of a process which the gate can kill.
func (g *gate) context() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	return ctx
}

// fail is what goes wrong.
func (g *gate) fail() error {
	if g.dead = g.kill; g.kill && g.cancel != nil {
		g.cancel()
	}
	return errGate
}

var errGate = &net.OpError{Op: "read", Err: syscall.ECONNRESET}

func (g *gate) do(act func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead {
		return errGate
	}
	g.n++
	hit := g.n == g.at
	if hit && !g.after {
		return g.fail()
	}
	err := act()
	if hit {
		return g.fail()
	}
	return err
}

// RoundTrip is a transport behind the gate.
func (g *gate) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	err = g.do(func() error {
		resp, err = http.DefaultTransport.RoundTrip(r)
		return err
	})
	if err != nil && resp != nil {
		_ = resp.Body.Close()
		resp = nil
	}
	return resp, err
}

// store is a vault's namespace behind a gate.
type store struct {
	*gate
	items map[string]string
}

func (s store) Get(_ context.Context, name string) (data []byte, err error) {
	err = s.do(func() error {
		item, ok := s.items[name]
		if !ok {
			return session.ErrNotFound
		}
		data = []byte(item)
		return nil
	})
	return data, err
}

func (s store) Put(_ context.Context, name string, data []byte) error {
	return s.do(func() error { s.items[name] = string(data); return nil })
}

func (s store) Remove(_ context.Context, name string) error {
	return s.do(func() error {
		if _, ok := s.items[name]; !ok {
			return session.ErrNotFound
		}
		delete(s.items, name)
		return nil
	})
}

func (s store) Names(context.Context) (names []string, err error) {
	err = s.do(func() error {
		for name := range s.items {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// said collects what a person was told, the final error included.
type said struct{ text []string }

func (s *said) say(msg string) { s.text = append(s.text, msg) }

func (s *said) err(err error) {
	if err == nil {
		return
	}
	s.say(err.Error())
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		s.say(hinted.Hint())
	}
}

func (s *said) has(word string) bool { return strings.Contains(strings.Join(s.text, "\n"), word) }

func (w *world) through(c Client, g *gate) Client {
	c.Options.HTTP = &http.Client{Transport: g}
	return c
}

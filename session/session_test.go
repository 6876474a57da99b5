package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/session/flight"
)

// mapStore is the Store of tests, with a fault for each operation.
type mapStore struct {
	mu    sync.Mutex
	items map[string][]byte
	gets  int
	fail  func(op, name string) error
}

func newMapStore() *mapStore { return &mapStore{items: map[string][]byte{}} }

func (s *mapStore) enter(op, name string) error {
	if s.fail != nil {
		return s.fail(op, name)
	}
	return nil
}

func (s *mapStore) Get(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	if err := s.enter("get", name); err != nil {
		return nil, err
	}
	data, ok := s.items[name]
	if !ok {
		return nil, fmt.Errorf("get: %w", ErrNotFound)
	}
	return slices.Clone(data), nil
}

func (s *mapStore) Put(_ context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter("put", name); err != nil {
		return err
	}
	s.items[name] = slices.Clone(data)
	return nil
}

func (s *mapStore) Remove(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter("remove", name); err != nil {
		return err
	}
	if _, ok := s.items[name]; !ok {
		return ErrNotFound
	}
	delete(s.items, name)
	return nil
}

func (s *mapStore) Names(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.enter("names", ""); err != nil {
		return nil, err
	}
	var names []string
	for name := range s.items {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a settable clock.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// testCache is a cache over a map with a fixed clock, and what it warned of.
func testCache(t *testing.T) (*Cache, *mapStore, *clock, *messages) {
	t.Helper()
	store, clk, warned := newMapStore(), &clock{t: testNow}, &messages{}
	return &Cache{Store: store, Flight: flight.Group{Dir: filepath.Join(t.TempDir(), "locks"), Warn: warned.add}, Now: clk.now, Warn: warned.add}, store, clk, warned
}

type messages struct {
	mu  sync.Mutex
	all []string
}

func (m *messages) add(s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, s)
}

func (m *messages) list() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.all)
}

func testRequest(name string) Request {
	return Request{Key: NewKey(name), Info: Info{Kind: KindAssumedRole, Profile: name, KeyProfile: "default", RoleARN: "arn:aws:iam::123456789012:role/" + name}}
}

func testCredentials(n int, expiration time.Time) Credentials {
	return Credentials{
		AccessKeyID: fmt.Sprintf("ASIA%016d", n), SecretAccessKey: "secret" + strings.Repeat("x", 34),
		SessionToken: fmt.Sprintf("token-%d", n), AccountID: "123456789012", Expiration: expiration,
	}
}

// countingMint mints numbered credentials that live for an hour.
func countingMint(n *int, now func() time.Time) Mint {
	return func(context.Context) (Credentials, error) {
		*n++
		return testCredentials(*n, now().Add(time.Hour)), nil
	}
}

// walk gives every file under dir.
func walk(t *testing.T, dir string, see func(path string, mode os.FileMode, data string)) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		see(path, info.Mode(), string(data))
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

package vault

import (
	"bytes"
	"context"
	"sort"
	"sync"
)

// Memory is a vault in memory: the fake that tests of other packages use. It
// passes the same contract suite as the real backends.
type Memory struct {
	mu    sync.Mutex
	items map[Kind]map[string][]byte
	holds map[string]chan struct{}
	// Fail, when set, is asked before every operation; what it returns ends it.
	Fail func(op string, kind Kind, name string) error
}

// NewMemory returns an empty vault in memory.
func NewMemory() *Memory {
	return &Memory{items: map[Kind]map[string][]byte{}, holds: map[string]chan struct{}{}}
}

// Backend is "memory".
func (m *Memory) Backend() string { return "memory" }

// Get returns a copy of the item's bytes.
func (m *Memory) Get(ctx context.Context, kind Kind, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.before(ctx, "get", kind, name, nil); err != nil {
		return nil, err
	}
	data, ok := m.items[kind][name]
	if !ok {
		return nil, m.failed("get", kind, name, ErrNotFound)
	}
	return append([]byte{}, data...), nil
}

// Put stores a copy of data.
func (m *Memory) Put(ctx context.Context, kind Kind, name string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.before(ctx, "put", kind, name, data); err != nil {
		return err
	}
	if m.items[kind] == nil {
		m.items[kind] = map[string][]byte{}
	}
	m.items[kind][name] = bytes.Clone(data)
	return nil
}

// Remove deletes the item.
func (m *Memory) Remove(ctx context.Context, kind Kind, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.before(ctx, "remove", kind, name, nil); err != nil {
		return err
	}
	if _, ok := m.items[kind][name]; !ok {
		return m.failed("remove", kind, name, ErrNotFound)
	}
	delete(m.items[kind], name)
	return nil
}

// Names lists the names of a kind, sorted.
func (m *Memory) Names(ctx context.Context, kind Kind) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.before(ctx, "names", kind, "", nil); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(m.items[kind]))
	for name := range m.items[kind] {
		names = append(names, name)
	}
	sort.Strings(names)
	return names, nil
}

// Hold takes a lock that the users of this value share.
func (m *Memory) Hold(ctx context.Context, name string) (func(), error) {
	m.mu.Lock()
	c := m.holds[name]
	if c == nil {
		c = make(chan struct{}, 1)
		m.holds[name] = c
	}
	m.mu.Unlock()
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, m.failed("lock", "", "", ctx.Err())
	}
}

// Close does nothing: the items live as long as the value.
func (m *Memory) Close() error { return nil }

func (m *Memory) before(ctx context.Context, op string, kind Kind, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return m.failed(op, kind, name, err)
	}
	if err := checkItem(kind, name, data); err != nil {
		return m.failed(op, kind, name, err)
	}
	if m.Fail != nil {
		if err := m.Fail(op, kind, name); err != nil {
			return m.failed(op, kind, name, err)
		}
	}
	return nil
}

func (m *Memory) failed(op string, kind Kind, name string, err error) error {
	return &Error{Op: op, Backend: m.Backend(), Kind: kind, Name: name, Err: err}
}

package provider_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
	"groat/session/flight"
	"groat/vault/accesskey"
)

const account = "123456789012"

// world is one user with a key and a device, the strict double in the place
// of AWS, and a cache in memory.
type world struct {
	t      *testing.T
	srv    *ststest.Server
	user   *ststest.User
	key    *ststest.AccessKey
	device *ststest.Device
	vault  *memoryVault
	store  *memoryStore
	prompt *prompt
	minter *provider.Minter
	env    map[string]string
	config string
	dir    string
	later  time.Duration // how far this machine's clock is ahead of the double's
	// cacheLater is how much further the cache's is: time that passes for what
	// is kept, not for what is minted.
	cacheLater time.Duration
	warned     []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, srv: ststest.Start(t, ststest.Options{}), env: map[string]string{}, dir: t.TempDir()}
	w.user = w.srv.AddUser(account, "alice")
	w.key, w.device = w.user.AddAccessKey(), w.user.AddMFA()
	w.env["AWS_ENDPOINT_URL"] = w.srv.URL
	w.vault = &memoryVault{keys: map[string]accesskey.Key{}, cards: map[string]provider.Card{}}
	w.vault.put("default", w.key, provider.Card{Account: account, UserName: "alice"})
	w.store = &memoryStore{items: map[string][]byte{}}
	w.prompt = &prompt{device: w.device}
	w.minter = w.newMinter()
	w.config = fmt.Sprintf(`[default]
region = eu-west-1
[profile readonly]
role_arn = %[1]s
source_profile = default
mfa_serial = %[3]s
[profile admin]
role_arn = %[2]s
source_profile = default
mfa_serial = %[3]s
`, roleARN("readonly"), roleARN("admin"), w.device.Serial)
	return w
}

// newMinter is what another process would have: the same vault, store and
// lock directory.
func (w *world) newMinter() *provider.Minter {
	now := func() time.Time { return time.Now().Add(w.later) }
	dir := filepath.Join(w.t.TempDir(), "locks")
	if w.minter != nil {
		dir = w.minter.Cache.Flight.Dir
	}
	getenv := func(k string) string { return w.env[k] }
	var mu sync.Mutex
	warn := func(msg string) {
		mu.Lock()
		defer mu.Unlock()
		w.warned = append(w.warned, msg)
	}
	client, err := provider.NewHTTPClient("", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(client.CloseIdleConnections)
	return &provider.Minter{
		Keys: w.vault, Codes: w.prompt, HTTP: client, Now: now, Getenv: getenv, Warn: warn, Debugf: w.t.Logf,
		Cache: &session.Cache{Store: w.store, Flight: flight.Group{Dir: dir, Warn: warn, Outcomes: provider.Outcomes{}}, Now: func() time.Time { return now().Add(w.cacheLater) }, Warn: warn},
	}
}

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

func (w *world) role(name string, o ststest.RoleOptions) *world {
	w.srv.AddRole(roleARN(name), o)
	return w
}

// resolve reads the world's configuration as cmd does.
func (w *world) resolve(name string, o profile.ResolveOptions) *profile.Resolved {
	w.t.Helper()
	path := filepath.Join(w.dir, "config")
	if err := os.WriteFile(path, []byte(w.config), 0o600); err != nil {
		w.t.Fatal(err)
	}
	c, err := profile.Load(profile.LoadOptions{ConfigFile: path})
	if err != nil {
		w.t.Fatal(err)
	}
	o.HoldsKey = func(name string) (bool, error) { _, ok := w.vault.cards[name]; return ok, nil }
	o.Getenv = func(k string) string { return w.env[k] }
	r, err := c.Resolve(name, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) tryPlan(r *profile.Resolved, o provider.Options) (*provider.Plan, error) {
	var card *provider.Card
	if c, ok := w.vault.cards[r.Source.Profile]; ok {
		card = &c
	}
	if o.OSUser == "" {
		o.OSUser = "osuser"
	}
	return provider.NewPlan(r, card, o)
}

func (w *world) plan(name string, o provider.Options) *provider.Plan {
	w.t.Helper()
	p, err := w.tryPlan(w.resolve(name, profile.ResolveOptions{}), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// mint answers for a profile as a new process would.
func (w *world) mint(name string, o provider.Options) (session.Credentials, error) {
	w.t.Helper()
	return w.newMinter().Credentials(w.t.Context(), w.plan(name, o))
}

func (w *world) mustMint(name string, o provider.Options) session.Credentials {
	w.t.Helper()
	creds, err := w.mint(name, o)
	if err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
	return creds
}

// wantCalls compares the calls that reached the double since the last look.
func (w *world) wantCalls(want ...string) {
	w.t.Helper()
	if got := w.srv.Names(); !slices.Equal(got, want) {
		w.t.Errorf("calls:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	w.srv.ResetCalls()
}

func (w *world) wantPrompts(n int) {
	w.t.Helper()
	if got := w.prompt.count(); got != n {
		w.t.Errorf("%d prompts, want %d", got, n)
	}
}

// memoryVault counts how often a long-lived key is opened.
type memoryVault struct {
	mu     sync.Mutex
	keys   map[string]accesskey.Key
	cards  map[string]provider.Card
	opened int
	stored int
}

func (v *memoryVault) put(name string, k *ststest.AccessKey, c provider.Card) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stored++
	c.Profile, c.KeyID, c.Generation = name, k.ID, fmt.Sprint("generation-", v.stored)
	v.keys[name], v.cards[name] = accesskey.Key{ID: k.ID, Secret: k.Secret, Generation: c.Generation}, c
}

func (v *memoryVault) Card(_ context.Context, name string) (provider.Card, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	c, ok := v.cards[name]
	if !ok {
		return c, provider.ErrNoKey
	}
	return c, nil
}

func (v *memoryVault) Key(_ context.Context, name string) (accesskey.Key, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened++
	k, ok := v.keys[name]
	if !ok {
		return k, provider.ErrNoKey
	}
	return k, nil
}

// Mend does nothing: tests put the card right themselves.
func (v *memoryVault) Mend(context.Context, string) error { return nil }

// memoryStore is a session store that can fail.
type memoryStore struct {
	mu     sync.Mutex
	items  map[string][]byte
	putErr error // of Put and Remove
}

func (s *memoryStore) Get(_ context.Context, name string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.items[name]
	if !ok {
		return nil, session.ErrNotFound
	}
	return slices.Clone(b), nil
}

func (s *memoryStore) Put(_ context.Context, name string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.putErr != nil {
		return s.putErr
	}
	s.items[name] = slices.Clone(data)
	return nil
}

func (s *memoryStore) Remove(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.putErr != nil {
		return s.putErr
	}
	if _, ok := s.items[name]; !ok {
		return session.ErrNotFound
	}
	delete(s.items, name)
	return nil
}

func (s *memoryStore) Names(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.items)), nil
}

// prompt is a person with the device in hand.
type prompt struct {
	mu       sync.Mutex
	device   *ststest.Device
	devices  map[string]*ststest.Device // by serial, where there are several
	answers  []string                   // taken first; then fresh codes of the device
	err      error
	requests []provider.CodeRequest
}

func (p *prompt) TokenCode(_ context.Context, req provider.CodeRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, req)
	if p.err != nil {
		return "", p.err
	}
	if len(p.answers) > 0 {
		a := p.answers[0]
		p.answers = p.answers[1:]
		return a, nil
	}
	if d := p.devices[req.MFASerial]; d != nil {
		return d.FreshCode(), nil
	}
	return p.device.FreshCode(), nil
}

func (p *prompt) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.requests)
}

// wantError checks class, words and remedy of a failure.
func wantError(t *testing.T, err, class error, words ...string) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("error is %v, want one of class %q", err, class)
	}
	text := err.Error()
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		text += " | " + hinter.Hint()
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("error does not say %q: %s", word, text)
		}
	}
	if strings.ContainsAny(text, "\n\r") {
		t.Errorf("error is not one line: %q", text)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

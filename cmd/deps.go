package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/vault"
	"groat/vault/fault"
	"groat/vault/files"
)

// SDKs kill their helper 60 s after its start. Asking ends before, early
// enough for the calls that follow an answer, and so does waiting for
// another process that asks.
const (
	credentialProcessDeadline = 55 * time.Second
	credentialProcessEnd      = 58 * time.Second
)

// app is the composition root: it knows the injected environment and opens
// what a command needs when it needs it.
type app struct {
	environment
	*output
	cli      cli
	settings *settings
	paths    paths
	now      func() time.Time
	started  time.Time
	deadline time.Duration // for asking, since started; 0 = none
	// proxy reads the process's own environment: net/http links the library
	// for it already, and no other road to AWS is chosen within one process.
	proxy provider.ProxyFunc

	// nameless: no profile was named, and the environment describes a web
	// identity, which then counts.
	nameless bool

	command   string  // as one types it: "mfa list"
	given     []given // flags of the command line that a remedy must repeat
	helpFlags bool    // the help page of the common flags is wanted
	// leastCost makes new file vaults as cheap to open as is accepted, for tests.
	leastCost bool
	// wait sleeps until a device shows its next code; nil: a timer.
	wait      func(ctx context.Context, d time.Duration) error
	agentRule string   // what agents may by default, see readAgentRule
	consented sync.Map // what a person said yes to in this process
	// heedSignals must be called before anything begins that a signal must
	// not simply cut off: waiting, asking, calling AWS.
	heedSignals func()

	mu       sync.Mutex // guards the two below
	registry *vault.Registry
	config   *profile.Config
	prompt   struct {
		sync.Mutex
		ui *terminal.UI
	}
}

func newApp(environ []string, streams Streams) *app {
	a := &app{environment: newEnvironment(environ), now: time.Now, started: time.Now(), heedSignals: func() {}}
	a.output = &output{streams, &a.cli.Debug}
	a.proxy = provider.CheckedProxy(a.getenv, http.ProxyFromEnvironment)
	a.paths = newPaths(a.getenv, recordedHome)
	a.settings = &settings{lookup: a.lookupEnv, path: a.paths.configFile, homeless: a.paths.homeless, from: map[string]string{}}
	return a
}

// close gives back what the process holds. It may be called again.
func (a *app) close() {
	a.releaseTerminal()
	a.vaults().Close()
}

// ui asks people.
func (a *app) ui() *terminal.UI {
	a.prompt.Lock()
	defer a.prompt.Unlock()
	if a.prompt.ui == nil {
		left := a.deadline
		if left != 0 {
			left = max(left-time.Since(a.started), time.Nanosecond)
		}
		a.prompt.ui = terminal.New(terminal.Options{
			Driver:   a.cli.Prompt,
			NoInput:  a.cli.NoInput,
			Environ:  child.Dialog(a.environ),
			Deadline: left,
			Stderr:   a.streams.Err,
			Debugf:   a.debugf,
		})
	}
	return a.prompt.ui
}

// releaseTerminal ends a run of questions. A question that is asked later
// begins the next.
func (a *app) releaseTerminal() {
	a.prompt.Lock()
	ui := a.prompt.ui
	a.prompt.Unlock()
	if ui != nil {
		ui.Release()
	}
}

// awsConfig is the parsed AWS configuration, read once; see rereadConfig.
func (a *app) awsConfig() (*profile.Config, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.config == nil {
		c, err := profile.Load(profile.LoadOptions{ConfigFile: a.paths.awsConfig, CredentialsFile: a.paths.awsKeys, Trusts: a.truster()})
		if err != nil {
			return nil, err
		}
		a.config = c
	}
	return a.config, nil
}

// rereadConfig has the AWS configuration read again when it is next needed.
func (a *app) rereadConfig() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.config = nil
}

// vaultKeys is the vault as package provider sees it.
type vaultKeys struct{ a *app }

// Card reads a key's card.
func (k vaultKeys) Card(ctx context.Context, name string) (provider.Card, error) {
	found, err := k.find(ctx, name)
	return keyCard(found.Card), err
}

// keyCard is a card as package provider sees it.
func keyCard(c vault.Card) provider.Card {
	return provider.Card{Profile: c.Profile, KeyID: c.KeyID, Generation: c.Generation, Account: c.Account, UserName: c.UserName, MFASerial: c.MFASerial}
}

// Key opens a long-lived key.
func (k vaultKeys) Key(ctx context.Context, name string) (provider.AccessKey, error) {
	found, err := k.find(ctx, name)
	if err != nil {
		return provider.AccessKey{}, err
	}
	k.a.debugf("open the long-lived key of %q in the %s vault", name, found.Vault.Backend())
	key, err := vault.GetKey(ctx, found.Vault, name)
	return provider.AccessKey{ID: key.ID, Secret: key.Secret, Generation: key.Generation}, k.a.noKey(name, err)
}

// Mend settles which of a key and its card is the older one.
func (k vaultKeys) Mend(ctx context.Context, name string) error {
	found, err := k.find(ctx, name)
	if err != nil {
		return err
	}
	mended, err := vault.MendCard(ctx, found.Vault, name)
	if mended && err == nil {
		k.a.warn(fmt.Sprintf("an old card of the access key of profile %s had been put back; it is the stored key's again", quote(name)))
	}
	return err
}

// find asks anew: a key may be replaced while it is minted from.
func (k vaultKeys) find(ctx context.Context, name string) (vault.Found, error) {
	found, err := k.a.vaults().Find(ctx, name)
	return found, k.a.noKey(name, err)
}

// noKey turns a missing key into what the user can do about it.
func (a *app) noKey(name string, err error) error {
	if !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	v, err := a.vaults().Place(name)
	if err != nil {
		return err
	}
	return noKeyError(v.Backend(), name, cmp.Or(a.vaults().Elsewhere(name), "run: groat add "+files.Word(name)))
}

func noKeyError(backend, name, hint string) error {
	return fault.New(fmt.Sprintf("no access key is stored for profile %s in the %s vault", quote(name), backend), hint, provider.ErrNoKey)
}

// sessionStore is the vault's session namespace.
func sessionStore(v vault.Vault) itemStore { return itemStore{v, vault.KindSession} }

// itemStore is one namespace of the vault as package session sees it.
type itemStore struct {
	v    vault.Vault
	kind vault.Kind
}

// Get reads one item by its exact name. One that does not open is lost, not a
// failure: what it held can be had anew.
func (s itemStore) Get(ctx context.Context, name string) ([]byte, error) {
	data, err := s.v.Get(ctx, s.kind, name)
	if vault.OfItem(err) && !errors.Is(err, vault.ErrNotFound) {
		err = fmt.Errorf("%w: %w", session.ErrDamaged, err)
	}
	return data, notFound(err)
}

// Put stores one item.
func (s itemStore) Put(ctx context.Context, name string, data []byte) error {
	return s.v.Put(ctx, s.kind, name, data)
}

// Remove deletes one item.
func (s itemStore) Remove(ctx context.Context, name string) error {
	return notFound(s.v.Remove(ctx, s.kind, name))
}

// RemoveAll deletes many items.
func (s itemStore) RemoveAll(ctx context.Context, names []string) (int, error) {
	return vault.RemoveAll(ctx, s.v, s.kind, names)
}

// Names lists all items.
func (s itemStore) Names(ctx context.Context) ([]string, error) {
	return s.v.Names(ctx, s.kind)
}

func notFound(err error) error {
	if errors.Is(err, vault.ErrNotFound) {
		return session.ErrNotFound
	}
	return err
}

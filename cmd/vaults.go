package cmd

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
)

const autoBackend = "auto"

// openVault opens a backend once; most of them do nothing before their
// first call.
func (a *app) openVault(backend string) (vault.Vault, error) {
	if v, ok := a.vaults[backend]; ok {
		return v, nil
	}
	c, err := a.vaultConfig(backend)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(c)
	if err != nil {
		return nil, err
	}
	a.debugf("vault backend %s", v.Backend())
	a.vaults[backend] = v
	a.vaults[v.Backend()] = v
	return v, nil
}

// vaultConfig carries the flags over to package vault.
func (a *app) vaultConfig(backend string) (vault.Config, error) {
	unlockFor, err := a.unlockFor()
	if err != nil {
		return vault.Config{}, err
	}
	return vault.Config{
		Backend:                 backend,
		FileDir:                 a.fileDir(),
		StateDir:                a.paths.state,
		Passphrase:              a.passphrase,
		UnlockFor:               unlockFor,
		Keychain:                a.cli.Keychain,
		SecretServiceCollection: a.cli.SecretServiceCollection,
		KWalletFolder:           a.cli.KWalletFolder,
		PassDir:                 a.cli.PassDir,
		PassCmd:                 a.cli.PassCmd,
		PassPrefix:              a.cli.PassPrefix,
		KeyctlScope:             a.cli.KeyctlScope,
		Environ:                 a.environ,
		Warn:                    a.warn,
		Now:                     a.now,
	}, nil
}

func (a *app) fileDir() string {
	if a.cli.FileDir != "" {
		return expandHome(a.cli.FileDir, homeDir(a.getenv))
	}
	return a.paths.fileVault
}

// unlockFor is GROAT_UNLOCK_FOR: a duration, 0 for never; nil when unset.
func (a *app) unlockFor() (*time.Duration, error) {
	v, place, inFile, err := a.settings.value(unlockForSetting)
	if err != nil || place == "" {
		return nil, err
	}
	if n, err := strconv.ParseFloat(v, 64); err == nil && n == 0 {
		return new(time.Duration), nil
	}
	d, err := parseTTL(v)
	if err != nil {
		return nil, &settingError{place, err.Error() + " (0 = never)", inFile}
	}
	return &d, nil
}

// keyVault is the vault in which a profile's key lies or would be put: the
// named backend, else the one that `add` recorded for this key, else what
// "auto" finds. A recorded backend counts as named.
func (a *app) keyVault(_ context.Context, name string) (vault.Vault, error) {
	backend := a.cli.Backend
	if backend == autoBackend {
		if recorded, ok := vault.Recorded(a.paths.state, name); ok {
			backend = recorded
		}
	}
	return a.openVault(backend)
}

// vaultOf is the vault that keeps a plan's sessions: the one of its key.
func (a *app) vaultOf(ctx context.Context, p *provider.Plan) (vault.Vault, error) {
	if p.Source.Kind == profile.SourceKey {
		return a.keyVault(ctx, p.Source.Profile)
	}
	return a.openVault(a.cli.Backend)
}

// openVaults are all the vaults in which keys may lie: the named one alone,
// else what "auto" finds and every recorded one. Those that cannot be opened
// are reported and left out.
func (a *app) openVaults() ([]vault.Vault, error) {
	first, err := a.openVault(a.cli.Backend)
	if err != nil {
		return nil, err
	}
	all := []vault.Vault{first}
	if a.cli.Backend != autoBackend {
		return all, nil
	}
	for _, backend := range vault.RecordedBackends(a.paths.state) {
		if backend == first.Backend() {
			continue
		}
		v, err := a.openVault(backend)
		if err != nil {
			a.warn(err.Error())
			continue
		}
		all = append(all, v)
	}
	return all, nil
}

// holdsKey reports whether a key is stored under exactly this name. Under
// "auto" a name that was never recorded is looked for where other keys are,
// without probing what else the machine has.
func (a *app) holdsKey(ctx context.Context, name string) (bool, error) {
	backends, elsewhere := []string{a.cli.Backend}, false
	if a.cli.Backend == autoBackend {
		if recorded, ok := vault.Recorded(a.paths.state, name); ok {
			backends = []string{recorded}
		} else if known := vault.RecordedBackends(a.paths.state); len(known) > 0 {
			backends, elsewhere = known, len(known) > 1
		}
	}
	for _, backend := range backends {
		held, err := a.holdsKeyIn(ctx, backend, name)
		switch {
		case elsewhere && errors.Is(err, vault.ErrUnavailable):
			// The record knows no such key. That one of several stores is out
			// of reach (no bus over SSH) must not fail the keys of the others.
			a.debugf("not looked for a key of %q: %v", name, err)
		case held || err != nil:
			return held, err
		}
	}
	return false, nil
}

func (a *app) holdsKeyIn(ctx context.Context, backend, name string) (bool, error) {
	v, err := a.openVault(backend)
	if err != nil {
		return false, err
	}
	card, err := vault.GetCard(ctx, v, name)
	if errors.Is(err, vault.ErrNotFound) {
		return false, nil
	}
	if err == nil {
		a.seen.Store(v.Backend()+" "+name, card)
	}
	return err == nil, err
}

// card reads a key's card. One that holdsKey read on the way here is good for
// one use: it spares the backends on the bus two calls.
func (a *app) card(ctx context.Context, v vault.Vault, name string) (vault.Card, error) {
	if card, ok := a.seen.LoadAndDelete(v.Backend() + " " + name); ok {
		return card.(vault.Card), nil
	}
	return vault.GetCard(ctx, v, name)
}

// lockDir is where the cache's locks lie: beside a file vault, so that all
// who share it share them, else with the rest of the state.
func (a *app) lockDir(v vault.Vault) string {
	if v.Backend() == "file" {
		return filepath.Join(a.fileDir(), "locks")
	}
	return filepath.Join(a.paths.state, "locks")
}

package cmd

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"groat/cmd/child"
	"groat/provider"
	"groat/provider/profile"
	"groat/vault"
)

const autoBackend = "auto"

// openVault opens a backend once; most of them do nothing before their
// first call.
func (a *app) openVault(backend string) (vault.Vault, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
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
		Given:                   a.givenPassphrase,
		AskAlone:                a.askAlone,
		UnlockFor:               unlockFor,
		Keychain:                a.cli.Keychain,
		SecretServiceCollection: a.cli.SecretServiceCollection,
		KWalletFolder:           a.cli.KWalletFolder,
		PassDir:                 a.cli.PassDir,
		PassCmd:                 a.cli.PassCmd,
		PassPrefix:              a.cli.PassPrefix,
		KeyctlScope:             a.cli.KeyctlScope,
		NoInput:                 a.cli.NoInput,
		Environ:                 child.Helper(a.environ),
		Warn:                    a.warn,
		Debugf:                  a.debugf,
		PassedOver:              a.notePassedOver,
		Now:                     a.now,
	}, nil
}

// notePassedOver keeps why "auto" did not choose the desktop's own store until
// a key is stored elsewhere for it: every other command would only repeat it.
func (a *app) notePassedOver(why string) {
	a.debugf("%s", why)
	a.passedOver = why
}

// recordKey notes in which vault a profile's key is from now on.
func (a *app) recordKey(name string, v vault.Vault) error {
	if a.passedOver != "" {
		a.warn(a.passedOver)
		a.passedOver = ""
	}
	return vault.Record(a.paths.state, name, v.Backend())
}

func (a *app) fileDir() string {
	if a.cli.FileDir != "" {
		return expandHome(a.cli.FileDir, a.paths.home)
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
		return nil, settingError(place, err.Error()+" (0 = never)", inFile, "")
	}
	return &d, nil
}

// keyVault is the vault in which a profile's key lies or would be put: the
// named backend, else the one that `add` recorded for this key, else what
// "auto" finds. A recorded backend counts as named.
func (a *app) keyVault(_ context.Context, name string) (vault.Vault, error) {
	backend := a.cli.Backend
	if backend == autoBackend {
		recorded, err := vault.Recorded(a.paths.state, name)
		if err != nil {
			return nil, err
		}
		backend = cmp.Or(recorded, backend)
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
	recorded, err := vault.RecordedBackends(a.paths.state)
	if err != nil {
		return nil, err
	}
	for _, backend := range recorded {
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

// survey looks into each of several vaults. One that is out of reach (no bus
// over SSH, a declined passphrase) hides nothing of the others: it is left out
// and lost says why. A single one's error is err.
func survey(vaults []vault.Vault, look func(vault.Vault) error) (open []vault.Vault, lost, err error) {
	for _, v := range vaults {
		err := look(v)
		switch {
		case err == nil:
			open = append(open, v)
		case len(vaults) > 1 && (errors.Is(err, vault.ErrUnavailable) || errors.Is(err, vault.ErrLocked) || errors.Is(err, vault.ErrPassphrase)):
			lost = errors.Join(lost, err)
		default:
			return nil, nil, err
		}
	}
	if len(open) == 0 {
		return nil, nil, lost
	}
	return open, lost, nil
}

// records say where keys lie. With a named backend nobody has to know.
func (a *app) records() (map[string]string, error) {
	if a.cli.Backend != autoBackend {
		return nil, nil
	}
	return vault.Records(a.paths.state)
}

// keyHolders maps each profile that holds a key to its vaults: first the one
// that serves it, then those with a copy that was left behind.
func (a *app) keyHolders(ctx context.Context, vaults []vault.Vault) (holders map[string][]vault.Vault, open []vault.Vault, lost, err error) {
	records, err := a.records()
	if err != nil {
		return nil, nil, nil, err
	}
	holders = map[string][]vault.Vault{}
	open, lost, err = survey(vaults, func(v vault.Vault) error {
		names, err := v.Names(ctx, vault.KindKey)
		for _, name := range names {
			at := len(holders[name])
			if records[name] == v.Backend() {
				at = 0
			}
			holders[name] = slices.Insert(holders[name], at, v)
		}
		return err
	})
	return holders, open, lost, err
}

// holdsKey reports whether a key is stored under exactly this name. Under
// "auto" a name that was never recorded is looked for where other keys are,
// without probing what else the machine has.
func (a *app) holdsKey(ctx context.Context, name string) (bool, error) {
	backends := []string{a.cli.Backend}
	if a.cli.Backend == autoBackend {
		records, err := a.records()
		if err != nil {
			return false, err
		}
		if recorded := records[name]; recorded != "" {
			backends = []string{recorded}
		} else if len(records) > 0 {
			backends = slices.Compact(slices.Sorted(maps.Values(records)))
		}
	}
	for _, backend := range backends {
		if a.unheard(backend, name) {
			continue
		}
		held, err := a.holdsKeyIn(ctx, backend, name)
		switch {
		case errors.Is(err, vault.ErrUnavailable) && (len(backends) > 1 || a.neverHeard(name)):
			// That a store is out of reach (no bus over SSH) must not fail the
			// keys of others, nor make a mistyped name anything else than that.
			a.debugf("not looked for a key of %q: %v", name, err)
		case held || err != nil:
			return held, err
		}
	}
	return false, nil
}

// unheard reports that no daemon need be asked for a name: it is neither a
// profile's nor a recorded key's, although keys in the daemon's store are
// recorded. It is a slip of the finger, then, that waits for nobody.
func (a *app) unheard(backend, name string) bool {
	if !vault.ByDaemon(backend) || !a.neverHeard(name) {
		return false
	}
	recorded, err := vault.RecordedBackends(a.paths.state)
	return err == nil && slices.Contains(recorded, backend)
}

// neverHeard reports that a name is neither a profile's nor a recorded key's.
func (a *app) neverHeard(name string) bool {
	if config, err := a.awsConfig(); err != nil || config.Exists(name) {
		return false
	}
	recorded, err := vault.Recorded(a.paths.state, name)
	return recorded == "" && err == nil
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

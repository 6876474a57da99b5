package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"groat/cmd/child"
	"groat/vault"
	"groat/vault/fault"
)

const autoBackend = "auto"

// vaults are the vaults as commands use them: which holds whose key, what was
// minted from it, and the key itself as package provider sees it.
type vaults struct {
	*vault.Registry
	*output
	*clock
	flags       *globals
	settings    *settings
	paths       *paths
	passphrases *passphrases
	environ     []string
	leastCost   bool // of new file vaults, for tests
}

// vaults are known when the flags are.
func (a *app) vaults() *vaults {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.opened == nil {
		v := &vaults{output: a.output, clock: a.clock, flags: &a.cli.globals, settings: a.settings, paths: a.paths, passphrases: a.passphrases, environ: a.environ, leastCost: a.leastCost}
		v.Registry = &vault.Registry{
			Backend: a.cli.Backend, StateDir: a.paths.state, Configure: v.configure, Warn: a.warn, Debugf: a.debugf,
			Exists: func(name string) bool {
				config, err := a.aws.config()
				return err != nil || config.Exists(name) // what cannot be read may have it
			},
		}
		a.opened = v
	}
	return a.opened
}

// configure carries the flags over to package vault.
func (v *vaults) configure(backend string) (vault.Config, error) {
	unlockFor, err := v.unlockFor()
	if err != nil {
		return vault.Config{}, err
	}
	return vault.Config{
		Backend:                 backend,
		FileDir:                 v.paths.fileDir(v.flags),
		LeastCost:               v.leastCost,
		StateDir:                v.paths.state,
		Passphrase:              v.passphrases.answer,
		Given:                   v.passphrases.ready,
		AskAlone:                v.passphrases.askAlone,
		UnlockFor:               unlockFor,
		Keychain:                v.flags.Keychain,
		SecretServiceCollection: v.flags.SecretServiceCollection,
		KWalletFolder:           v.flags.KWalletFolder,
		PassDir:                 v.flags.PassDir,
		PassCmd:                 v.flags.PassCmd,
		PassPrefix:              v.flags.PassPrefix,
		KeyctlScope:             v.flags.KeyctlScope,
		NoInput:                 v.flags.NoInput,
		Environ:                 child.Helper(v.environ),
		Warn:                    v.warn,
		Debugf:                  v.debugf,
		Now:                     v.now,
	}, nil
}

// unlockFor is GROAT_UNLOCK_FOR: a duration, 0 for never; nil when unset.
func (v *vaults) unlockFor() (*time.Duration, error) {
	text, place, inFile, err := v.settings.value(unlockForSetting)
	if err != nil || place == "" {
		return nil, err
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n == 0 {
		return new(time.Duration), nil
	}
	d, err := parseTTL(text)
	if err != nil {
		return nil, settingError(place, err.Error()+" (0 = never)", inFile, "")
	}
	return &d, nil
}

// of is the vault that keeps a plan's sessions: the one of its key.
func (v *vaults) of(p *planned) (vault.Vault, error) {
	if p.key.Vault != nil {
		return p.key.Vault, nil
	}
	return v.Default()
}

// findKey is the key that is stored under exactly this name, if one is.
func (v *vaults) findKey(ctx context.Context, name string) (key vault.Found, held bool, err error) {
	key, err = v.Find(ctx, name)
	if errors.Is(err, vault.ErrNotFound) {
		return key, false, nil
	}
	return key, err == nil, err
}

// holdsKey answers package profile.
func (v *vaults) holdsKey(ctx context.Context) func(name string) (bool, error) {
	return func(name string) (bool, error) {
		_, held, err := v.findKey(ctx, name)
		return held, err
	}
}

// fileVault is the file vault itself: the only backend that groat locks.
func (v *vaults) fileVault() (*vault.File, error) {
	if b := v.flags.Backend; b != "file" && b != autoBackend {
		return nil, usageError(fmt.Sprintf("groat does not keep the passphrase of the %s vault", b), "its own system locks and unlocks it; for the file vault: --backend file")
	}
	file, err := v.Open("file")
	if err != nil {
		return nil, err
	}
	f, ok := file.(*vault.File)
	if !ok {
		return nil, fmt.Errorf("%w: it has no passphrase", vault.ErrUnavailable)
	}
	return f, nil
}

// noFileVault says so where there is nothing to open yet.
func (v *vaults) noFileVault(err error) error {
	if !errors.Is(err, vault.ErrNotFound) {
		return err
	}
	return fault.New("there is no file vault yet in "+v.paths.fileDir(v.flags), "the first key makes it: groat --backend file add default", vault.ErrNotFound)
}

package cmd

import (
	"context"
	"errors"
	"strconv"
	"time"

	"groat/cmd/child"
	"groat/vault"
)

const autoBackend = "auto"

// vaults knows which vault holds whose key; it is made when the flags are known.
func (a *app) vaults() *vault.Registry {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.registry == nil {
		a.registry = &vault.Registry{
			Backend: a.cli.Backend, StateDir: a.paths.state, Configure: a.vaultConfig, Warn: a.warn, Debugf: a.debugf,
			Exists: func(name string) bool {
				config, err := a.awsConfig()
				return err != nil || config.Exists(name) // what cannot be read may have it
			},
		}
	}
	return a.registry
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
		LeastCost:               a.leastCost,
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
		Now:                     a.now,
	}, nil
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

// vaultOf is the vault that keeps a plan's sessions: the one of its key.
func (a *app) vaultOf(p *planned) (vault.Vault, error) {
	if p.key.Vault != nil {
		return p.key.Vault, nil
	}
	return a.vaults().Default()
}

// findKey is the key that is stored under exactly this name, if one is.
func (a *app) findKey(ctx context.Context, name string) (key vault.Found, held bool, err error) {
	key, err = a.vaults().Find(ctx, name)
	if errors.Is(err, vault.ErrNotFound) {
		return key, false, nil
	}
	return key, err == nil, err
}

// holdsKey answers package profile.
func (a *app) holdsKey(ctx context.Context) func(name string) (bool, error) {
	return func(name string) (bool, error) {
		_, held, err := a.findKey(ctx, name)
		return held, err
	}
}

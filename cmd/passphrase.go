package cmd

import (
	"context"
	"errors"

	"groat/vault"
	"groat/vault/fault"
)

const newPassphraseVariable = "GROAT_NEW_FILE_PASSPHRASE"

// passphraseCmd changes the file vault's passphrase.
type passphraseCmd struct {
	NewPassphraseFile string `placeholder:"FILE" help:"Read the new passphrase from FILE (else GROAT_NEW_FILE_PASSPHRASE, else it is asked twice)."`
}

// Run asks for the current passphrase and for the new one, and wraps the
// vault's key anew. No item is written.
func (c *passphraseCmd) Run(ctx context.Context, a *app) error {
	f, err := a.vaults().fileVault()
	if err != nil {
		return err
	}
	if err := f.ChangePassphrase(ctx, c.next(a)); err != nil {
		return a.vaults().noFileVault(err)
	}
	a.say("the file vault has a new passphrase (a backup of the old vault still opens with the old one)")
	return nil
}

// next answers with the new passphrase, never from where the current one
// comes from.
func (c *passphraseCmd) next(a *app) vault.PassphraseFunc {
	return func(ctx context.Context, req vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
		if c.NewPassphraseFile != "" {
			return a.passphrases.fromFile(ctx, c.NewPassphraseFile)
		}
		if value, given := a.lookupEnv(newPassphraseVariable); given {
			return []byte(value), vault.FromEnvironment, nil
		}
		passphrase, origin, err := a.prompts.newPassphrase(ctx, req.Path, "Choose the new passphrase of the file vault")
		var vain *fault.Error
		if errors.As(err, &vain) {
			err = fault.New(vain.Text, "run it in a terminal, or set "+newPassphraseVariable, vain.Err)
		}
		return passphrase, origin, err
	}
}

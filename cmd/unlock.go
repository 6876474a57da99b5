package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"groat/vault"
	"groat/vault/fault"
)

// unlockCmd opens the file vault for a while.
type unlockCmd struct {
	For ttl `name:"for" default:"8h" placeholder:"D" help:"How long: 15m, 8h, 900s or plain seconds (default ${default}). GROAT_UNLOCK_FOR wins."`
}

// maxUnlock bounds --for: a vault that is open for longer needs no lock.
const maxUnlock = 30 * 24 * time.Hour

// Run asks for the passphrase and lets the kernel keep the vault key.
func (c *unlockCmd) Run(ctx context.Context, a *app) error {
	d := time.Duration(c.For)
	switch always, err := a.vaults().unlockFor(); {
	case err != nil:
		return err
	case always != nil && *always == 0:
		return usageError("GROAT_UNLOCK_FOR=0 forbids keeping the file vault open", "unset it to unlock the vault for a while")
	case always != nil:
		d = *always
	}
	if d > maxUnlock {
		return usageError(fmt.Sprintf("%v is longer than %v", d, maxUnlock), "")
	}
	f, err := a.vaults().fileVault()
	if err != nil {
		return err
	}
	err = f.Unlock(ctx, d)
	if errors.Is(err, vault.ErrNoUnlockMemory) {
		return fault.New(fmt.Sprintf("the passphrase is right, but nothing can be kept open here: %v", vault.ErrNoUnlockMemory),
			"let --file-passphrase-command fetch the passphrase, or use another backend", vault.ErrUnavailable)
	}
	if err != nil {
		return a.vaults().noFileVault(err)
	}
	a.say(fmt.Sprintf("the file vault is open until %s (`groat lock` closes it)", a.now().Add(d).Format("2006-01-02 15:04")))
	return nil
}

// lockCmd closes the file vault.
type lockCmd struct{}

// Run makes the kernel forget the vault key.
func (c *lockCmd) Run(ctx context.Context, a *app) error {
	f, err := a.vaults().fileVault()
	if err != nil {
		return err
	}
	open, err := f.Unlocked(ctx)
	if err != nil {
		return err
	}
	if err := f.Lock(ctx); err != nil {
		return err
	}
	if !open {
		a.say("the file vault was not open")
		return nil
	}
	a.say("the file vault is locked")
	return nil
}

//go:build !linux && !darwin && !windows

package vault

// What other systems have.
var (
	openKeychain, openWinCred, openSecretService, openKWallet, openKeyctl, openPass                                           func(Config) (Vault, error)
	openForeignKeychain, openForeignWinCred, openForeignSecretService, openForeignKWallet, openForeignKeyctl, openForeignPass func(Config) (foreignStore, error)
	hasBus, hasPass                                                                                                           func(Config) bool
)

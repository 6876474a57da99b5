package vault

// What other systems have.
var (
	openKeychain, openSecretService, openKWallet, openKeyctl, openPass                                    func(Config) (Vault, error)
	openForeignKeychain, openForeignSecretService, openForeignKWallet, openForeignKeyctl, openForeignPass func(Config) (foreignStore, error)
	hasBus, hasPass                                                                                       func(Config) bool
)

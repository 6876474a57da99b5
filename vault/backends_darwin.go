package vault

// What other systems have.
var (
	openWinCred, openSecretService, openKWallet, openKeyctl                             func(Config) (Vault, error)
	openForeignWinCred, openForeignSecretService, openForeignKWallet, openForeignKeyctl func(Config) (foreignStore, error)
	hasBus                                                                              func(Config) bool
)

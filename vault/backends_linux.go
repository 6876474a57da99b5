package vault

// What other systems have.
var (
	openKeychain, openWinCred               func(Config) (Vault, error)
	openForeignKeychain, openForeignWinCred func(Config) (foreignStore, error)
)

func openSecretService(cfg Config) (Vault, error) {
	s, err := newSecretService(cfg)
	if err != nil {
		return nil, err
	}
	return newOSVault(cfg, "secret-service", s), nil
}

func openKWallet(cfg Config) (Vault, error) {
	k, err := newKWallet(cfg)
	if err != nil {
		return nil, err
	}
	return newOSVault(cfg, "kwallet", k), nil
}

func hasBus(cfg Config) bool {
	_, err := busAddress(cfg.Environ)
	return err == nil
}

package vault

func openForeignSystem(cfg Config) (foreignStore, error) {
	switch cfg.Backend {
	case "keychain":
		return openForeignKeychain(cfg)
	case "pass":
		return openForeignPass(cfg)
	}
	return nil, noForeign(cfg.Backend)
}

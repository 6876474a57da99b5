package vault

func openForeignSystem(cfg Config) (foreignStore, error) {
	if cfg.Backend == "wincred" {
		return foreignItems{newWinCred(cfg, awsVaultName, awsVaultName), nil}, nil
	}
	return nil, noForeign(cfg.Backend)
}

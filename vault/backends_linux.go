package vault

import "fmt"

// shortcoming is what "auto" says of a build that lacks its platform's store.
const shortcoming = ""

// builtin lists this build's backends, the platform's own stores first: the
// order in which "auto" tries them.
func builtin() []backend {
	return []backend{
		{
			name:  "secret-service",
			open:  openSecretService,
			probe: func(p probeContext) error { return p.vault.(*osVault).store.(*secretService).probe(p) },
			here:  hasBus,
		},
		{
			name:  "kwallet",
			open:  openKWallet,
			probe: func(p probeContext) error { return p.vault.(*osVault).store.(*kwallet).probe(p) },
			here:  hasBus,
		},
		passBackend(),
		{
			name:  "keyctl",
			open:  openKeyctl,
			probe: func(probeContext) error { return errNotByItself },
			here:  func(Config) bool { return true },
		},
		fileBackend(),
	}
}

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

// absence says why a backend is not in this build.
func absence(name string) string { return fmt.Sprintf("there is no %s on Linux", name) }

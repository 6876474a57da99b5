//go:build cgo

package vault

// defaultKeychain is the name of our own keychain: its items do not mix with
// the log-in keychain's, and it can be locked by itself.
const defaultKeychain = "groat"

// openKeychain keeps items as generic passwords of the service "groat" in our
// own keychain. Every item trusts this program, so that reading one asks
// nothing while the keychain is unlocked: sessions included.
func openKeychain(cfg Config) (Vault, error) {
	name := cfg.Keychain
	if name == "" {
		name = defaultKeychain
	}
	return newOSVault(cfg, "keychain", newKeychain(cfg, "groat", name)), nil
}

func newKeychain(cfg Config, service, name string) *ring {
	return newRing(cfg, "keychain", ringConfig{
		ServiceName:                    service,
		KeychainName:                   name,
		KeychainTrustApplication:       true,
		KeychainAccessibleWhenUnlocked: true,
	}, explainKeychain)
}

// openForeignKeychain reads another tool's keychain; macOS asks for each item
// whether this program may.
func openForeignKeychain(cfg Config) (foreignStore, error) {
	return foreignItems{newKeychain(cfg, awsVaultName, cfg.Keychain), nil}, nil
}

// The platform's own store comes first.
func builtin() []backend {
	return []backend{
		{
			name:  "keychain",
			open:  openKeychain,
			probe: probeByReading,
			here:  func(Config) bool { return true },
		},
		passBackend(),
		fileBackend(),
	}
}

// shortcoming is what "auto" says of a build that lacks its platform's store.
const shortcoming = ""

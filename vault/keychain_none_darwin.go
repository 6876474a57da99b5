//go:build nokeychain

package vault

// A build without the Keychain, which the tag asks for.
var (
	openKeychain        func(Config) (Vault, error)
	openForeignKeychain func(Config) (foreignStore, error)
)

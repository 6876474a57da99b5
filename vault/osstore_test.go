package vault_test

import (
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
)

// Whatever a store of the system's cannot hold by itself, the vault on it can.
func TestContractStrictStore(t *testing.T) {
	var again func() vault.Vault
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		again = vault.OpenStrictStore(t.TempDir())
		return again()
	}, vaulttest.Options{Again: func(*testing.T) vault.Vault { return again() }})
}

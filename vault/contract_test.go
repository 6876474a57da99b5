package vault_test

import (
	"context"
	"path/filepath"
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
)

func TestContractMemory(t *testing.T) {
	vaulttest.Run(t, func(*testing.T) vault.Vault { return vault.NewMemory() }, vaulttest.Options{})
}

func TestContractFile(t *testing.T) {
	var dir string
	open := func(*testing.T) vault.Vault {
		return vault.OpenFile(vault.Config{FileDir: dir, LeastCost: true, Passphrase: func(context.Context, vault.PassphraseRequest) ([]byte, vault.PassphraseOrigin, error) {
			return []byte("correct horse"), vault.FromEnvironment, nil
		}})
	}
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		dir = filepath.Join(t.TempDir(), "vault")
		return open(t)
	}, vaulttest.Options{Again: open})
}

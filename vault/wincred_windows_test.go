package vault_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"groat/vault"
	"groat/vault/vaulttest"
)

var winCredTests atomic.Int64

// TestContractWinCred runs against the real Credential Manager: on Windows,
// or on Wine, which does not enforce the limit of 2,560 bytes (the strict
// store does).
func TestContractWinCred(t *testing.T) {
	promised(t, "wincred")
	var cfg vault.Config
	var service string
	open := func(t *testing.T) vault.Vault {
		t.Helper()
		v, err := vault.OpenWinCredService(cfg, service)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		service = fmt.Sprintf("groat-test-%d-%d", os.Getpid(), winCredTests.Add(1))
		state, err := os.MkdirTemp("", "state") // t.TempDir insists on being removed, which Wine 8 cannot
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(state) })
		cfg = vault.Config{StateDir: state}
		v := open(t)
		t.Cleanup(func() {
			for _, kind := range []vault.Kind{vault.KindKey, vault.KindCard, vault.KindSession, vault.KindToken, vault.KindSeed, vault.KindJournal} {
				names, err := v.Names(t.Context(), kind)
				if err != nil {
					continue
				}
				for _, name := range names {
					_ = v.Remove(t.Context(), kind, name)
				}
			}
		})
		return v
	}, vaulttest.Options{Again: open, MaxData: 64 << 10})
}

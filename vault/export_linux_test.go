package vault

import "time"

// For the tests in package vault_test.
var (
	OpenKeyctlService = openKeyctlService
	ExplainKeyctl     = explainKeyctl
)

// ForgetUnlocked is the passing of the time for which an unlocked collection
// of the Secret Service is not asked about again.
func ForgetUnlocked(v Vault) {
	s := v.(*osVault).store.(*secretService)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unlockedAt = time.Time{}
}

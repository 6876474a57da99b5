package vault

// For the tests in package vault_test.
var (
	OpenKeyctlRing = openKeyctlRing
	ExplainKeyctl  = explainKeyctl
)

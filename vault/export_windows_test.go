package vault

// OpenWinCredService is for the tests in package vault_test.
var OpenWinCredService = openWinCredService

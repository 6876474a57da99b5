//go:build !linux

package cmd

import "testing"

func startSecretService(t testing.TB) []string {
	t.Helper()
	t.Skip("Secret Service is on Linux only")
	return nil
}

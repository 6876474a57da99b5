//go:build unix

package cmd

// envName is the form in which environment names are compared.
func envName(name string) string { return name }

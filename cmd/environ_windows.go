package cmd

import "strings"

// envName is the form in which environment names are compared: Windows does
// not tell case apart.
func envName(name string) string { return strings.ToUpper(name) }

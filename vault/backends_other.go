//go:build !linux

package vault

import "fmt"

func builtin() []backend { return []backend{fileBackend()} }

func absence(name string) string { return fmt.Sprintf("this build has no %s", name) }

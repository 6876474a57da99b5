package vault

import "fmt"

// absence says why a backend is not in this build.
func absence(name string) string {
	if name == "keychain" && shortcoming != "" {
		return shortcoming
	}
	return fmt.Sprintf("there is no %s on macOS", name)
}

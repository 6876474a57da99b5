//go:build !cgo

package vault

// The Keychain is reached through cgo alone.
func builtin() []backend { return []backend{passBackend(), fileBackend()} }

// shortcoming is what "auto" says of a build that lacks its platform's store.
const shortcoming = "this build has no Keychain (it was built without cgo)"

func openForeignKeychain(cfg Config) (foreignStore, error) { return nil, noForeign(cfg.Backend) }

//go:build !cgo && !nokeychain

package vault

// A build for macOS that silently had no Keychain would look for keys in
// another store: it has to be asked for.
var _ = build_with_CGO_ENABLED_1_for_the_Keychain_or_with_the_tag_nokeychain_for_a_groat_without_it

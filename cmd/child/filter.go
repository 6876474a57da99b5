// Package child is about the programs that groat starts: what they get of its
// environment, and how they end.
package child

import (
	"runtime"
	"slices"
	"strings"

	"groat/provider"
)

// foldsCase is set where PATH and Path are one variable.
const foldsCase = runtime.GOOS == "windows"

// credentialVariables say who an AWS client is. An inherited one would
// compete with ours, and every SDK settles that its own way, so none is left.
// Names that end in "*" are prefixes.
var credentialVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN", // names of older SDKs
	"AWS_CREDENTIAL_EXPIRATION", "AWS_SESSION_EXPIRATION", "AWS_CREDENTIAL_FILE", "AWS_ACCOUNT_ID",
	"AWS_PROFILE", "AWS_DEFAULT_PROFILE",
	"AWS_CONTAINER_*",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
	"AWS_BEARER_TOKEN_*",
	"AWS_VAULT", // aws-vault's own name for GROAT_PROFILE, set anew below
}

// passphraseVariables open a vault, ours or aws-vault's. Nobody but groat
// itself needs them.
var passphraseVariables = []string{
	"GROAT_FILE_PASSPHRASE", "GROAT_NEW_*", "GROAT_SOURCE_*", "AWS_VAULT_FILE_PASSPHRASE",
}

// ownVariables stay with groat: the passphrases, what guards against a
// credential_process that calls groat in a circle (a command may well call
// groat anew), and the name of the outer shell's profile.
var ownVariables = append([]string{"GROAT_PROFILE", "GROAT_HELPER", provider.ProcessChainVariable}, passphraseVariables...)

// Once is an environment in which each name stands once. Of two entries with
// one name the first counts, as for getenv(3); a program that would take the
// last, as bash does, is not left the choice.
func Once(environ []string) []string { return filter(environ, foldsCase, nil) }

// Helper is the environment of a program that a line of the configuration or
// a setting names (credential_process, mfa_process, a passphrase command,
// pass): everything but the passphrases.
func Helper(environ []string) []string { return filter(environ, foldsCase, passphraseVariables) }

// Dialog is the environment of a program that asks a person: nothing of
// AWS's or ours.
func Dialog(environ []string) []string {
	return filter(environ, foldsCase, []string{"AWS_*", "GROAT_*"})
}

// Clean is the environment of a program that has nothing to do with AWS (a
// browser): no credentials, no profile, nothing of groat's own.
func Clean(environ []string) []string {
	return filter(environ, foldsCase, slices.Concat(credentialVariables, ownVariables))
}

// CredentialNames are the names in environ that say who an AWS client is.
func CredentialNames(environ []string) []string { return credentialNames(environ, foldsCase) }

func credentialNames(environ []string, foldCase bool) []string {
	var names []string
	for _, entry := range filter(environ, foldCase, nil) {
		if name := foldName(entryName(entry), foldCase); matchesAny(name, credentialVariables) {
			names = append(names, name)
		}
	}
	return names
}

// Name is the form in which the names of variables are compared.
func Name(name string) string { return foldName(name, foldsCase) }

// filter is environ without the names of drop, each name once.
func filter(environ []string, foldCase bool, drop []string) []string {
	seen := make(map[string]bool, len(environ))
	out := make([]string, 0, len(environ)+8)
	for _, entry := range environ {
		name := foldName(entryName(entry), foldCase)
		if seen[name] || matchesAny(name, drop) {
			continue
		}
		seen[name] = true
		out = append(out, entry)
	}
	return out
}

// entryName is the part before "=". Windows keeps each drive's current
// directory in variables whose name begins with "=" ("=C:=C:\work").
func entryName(entry string) string {
	if entry == "" {
		return ""
	}
	if i := strings.IndexByte(entry[1:], '='); i >= 0 {
		return entry[:i+1]
	}
	return entry
}

func foldName(name string, foldCase bool) string {
	if foldCase {
		return strings.ToUpper(name)
	}
	return name
}

func matchesAny(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if prefix, ok := strings.CutSuffix(p, "*"); ok {
			return strings.HasPrefix(name, prefix)
		}
		return name == p
	})
}

package cmd

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// awsVaultWords are words of aws-vault's command line that are spelled otherwise
// here. Only words that do not parse are looked up.
var awsVaultWords = []struct{ command, word, ours string }{
	{"", "proxy", "an endpoint for other programs is served by `groat serve PROFILE`; it needs no root"},
	{"", "migrate-backend", "keys move between backends by `groat migrate --from file --to pass`"},
	{"exec", "--json", "the JSON for SDKs is printed by `groat credential-process PROFILE`"},
	{"exec", "-j", "the JSON for SDKs is printed by `groat credential-process PROFILE`"},
	{"exec", "--lazy", "leave it out: `groat exec --server PROFILE` renews credentials by itself"},
	{"exec", "--stdout", "leave it out; a sign-in link is shown on the terminal"},
	{"export", "--stdout", "leave it out; a sign-in link is shown on the terminal"},
	{"login", "-s", "write it out: `groat login --stdout PROFILE`"},
	{"remove", "-s", "write it out: `groat remove --sessions-only PROFILE`"},
	{"add", "--add-config", "leave it out: `groat add PROFILE` writes the config by itself, unless there is --no-config"},
}

// oursFor finds the words of a command line that did not parse among
// awsVaultWords; "" if they are none.
func oursFor(k *kong.Context, words []string) string {
	command := ""
	if n := k.Selected(); n != nil {
		command = commandPath(n)
	}
	for _, h := range awsVaultWords {
		if h.command == command && slices.ContainsFunc(words, func(w string) bool { word, _, _ := strings.Cut(w, "="); return word == h.word }) {
			return h.ours
		}
	}
	return ""
}

// parseHint says what to type instead of words that did not parse: ours for
// what aws-vault's users are used to, else the page of the command.
func parseHint(k *kong.Context, words []string) string {
	if ours := oursFor(k, words); ours != "" {
		return ours
	}
	return helpHint(k)
}

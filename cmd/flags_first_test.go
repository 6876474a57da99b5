package cmd

import (
	"slices"
	"strings"
	"testing"
)

// Flags may stand anywhere among words of which a command takes any number;
// all other command lines are left as they are.
func TestFlagsFirst(t *testing.T) {
	root := model(t).Node
	for in, want := range map[string]string{
		"remove a --force b":                    "remove --force a b",
		"remove a -f b -- -c":                   "remove -f -- a b -c",
		"rm a":                                  "rm a",
		"--debug clear a --backend file b":      "--debug clear --backend file a b",
		"each dev -j 1 prod --no-cache":         "each -j 1 --no-cache dev prod",
		"each dev -nj 1 prod":                   "each -nj 1 dev prod",
		"each dev -j1 prod":                     "each -j1 dev prod",
		"each dev --jobs=1 prod -t":             "each --jobs=1 -t dev prod",
		"configure a --dry-run b":               "configure --dry-run a b",
		"help exec --debug":                     "help --debug exec",
		"exec p -d 1h cmd -x":                   "exec p -d 1h cmd -x",
		"credential-process p --no-cache":       "credential-process p --no-cache",
		"mfa seed p --stdin":                    "mfa seed p --stdin",
		"nosuch a --force b":                    "nosuch a --force b",
		"remove a --nosuch b":                   "remove --nosuch a b",
		"migrate a --from file b --to pass c -": "migrate --from file --to pass a b c -",
	} {
		if got := strings.Join(flagsFirst(root, strings.Fields(in)), " "); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	if words := []string{"exec"}; !slices.Equal(flagsFirst(root, words), words) {
		t.Error("a command alone")
	}
}

package cmd

import (
	"strings"
	"testing"
)

// groat alone shows its help; a word that is no command is called so; and
// what aws-vault spells otherwise gets a line that names ours.
func TestFirstWords(t *testing.T) {
	if alone, help := runMain(t, nil, ""), runMain(t, nil, "", "--help"); alone.code != 0 || alone.stderr != "" || alone.stdout != help.stdout {
		t.Errorf("groat alone: %+v", alone)
	}
	for line, want := range map[string]string{
		"exce p":                          `unknown command "exce" (did you mean one of "exec", "each"?)`,
		"frobnicate":                      `unknown command "frobnicate"`,
		"mfa frobnicate":                  `unknown command "frobnicate"`,
		"list -x":                         "unknown flag -x\n",
		"list --sesions":                  `unknown flag --sesions (did you mean "--sessions"?)`,
		"exec p --region":                 "--region needs a value",
		"proxy":                           "groat serve PROFILE",
		"migrate-backend --from a --to b": "groat migrate",
		"exec p --json":                   "groat credential-process PROFILE",
		"exec --json p":                   "groat credential-process PROFILE",
		"exec --lazy p":                   "groat exec --server",
		"exec --stdout p":                 "leave it out",
		"login -s p":                      "groat login --stdout PROFILE",
		"remove -s p":                     "groat remove --sessions-only PROFILE",
		"add --add-config p":              "groat add PROFILE",
	} {
		r := runMain(t, nil, "", strings.Fields(line)...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: want %q in %+v", line, want, r)
		}
	}
}

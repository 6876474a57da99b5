package child

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// opens are variables that open a vault.
var opens = []string{
	"GROAT_FILE_PASSPHRASE=x", "GROAT_NEW_FILE_PASSPHRASE=x", "GROAT_SOURCE_FILE_PASSPHRASE=x", "GROAT_NEW_ANYTHING=x", "AWS_VAULT_FILE_PASSPHRASE=x",
}

// Whatever groat starts: nothing that opens a vault goes along.
func TestNobodyGetsPassphrases(t *testing.T) {
	parent := slices.Concat([]string{"A=b"}, opens, []string{"AWS_PROFILE=p", "GROAT_FILE_DIR=/d", "GROAT_PROFILE=q", "AWS_CONFIG_FILE=/c"})
	for name, c := range map[string]struct {
		got  []string
		want []string
	}{
		"helper": {Helper(parent), []string{"A=b", "AWS_PROFILE=p", "GROAT_FILE_DIR=/d", "GROAT_PROFILE=q", "AWS_CONFIG_FILE=/c"}},
		"dialog": {Dialog(parent), []string{"A=b"}},
		"clean":  {Clean(parent), []string{"A=b", "GROAT_FILE_DIR=/d", "AWS_CONFIG_FILE=/c"}},
		"command": {Env{Profile: "p", ProfileEnv: true}.Environ(parent),
			[]string{"A=b", "GROAT_FILE_DIR=/d", "AWS_CONFIG_FILE=/c", "AWS_PROFILE=p", "GROAT_PROFILE=p", "AWS_VAULT=p"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: environment differs (-want +got):\n%s", name, diff)
		}
	}
	// Windows does not tell case apart.
	for _, entry := range opens {
		if got := filter([]string{strings.ToLower(entry)}, true, passphraseVariables); len(got) > 0 {
			t.Errorf("%q passed", got)
		}
	}
}

// Of two equal names the first counts, and the second goes to nobody.
func TestEqualNames(t *testing.T) {
	parent := []string{"A=1", "GROAT_FILE_PASSPHRASE=x", "A=2", "GROAT_FILE_PASSPHRASE=y", "a=3"}
	if diff := cmp.Diff([]string{"A=1", "a=3"}, filter(parent, false, passphraseVariables)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"A=1"}, filter(parent, true, passphraseVariables)); diff != "" {
		t.Error(diff)
	}
}

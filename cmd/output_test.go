package cmd

import (
	"encoding/json"
	"strings"
	"testing"
)

// What a config file brings along must not reach a terminal, and a program
// must read exactly what stands there.
func TestInvisibleCharactersInJSON(t *testing.T) {
	for _, name := range []string{"admin", "größe", "e\x1b[31mvil", "bidi\u202e", "c1\u009b2J", "tag\U000e0041", "\u007f", "a\u00ad<&>"} {
		var out strings.Builder
		if err := writeJSON(&out, map[string]string{"name": name}, true); err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back["name"] != name {
			t.Errorf("%q became %q, %v", name, back["name"], err)
		}
		if strings.ContainsFunc(strings.ReplaceAll(out.String(), "\n", ""), func(r rune) bool { return r < ' ' || invisible(r) }) {
			t.Errorf("%q is written as %q", name, out.String())
		}
	}
}

func TestOnScreen(t *testing.T) {
	for in, want := range map[string]string{
		"admin":                    "admin",
		"+   s3 = \x1b[2Jx":        "+   s3 = x",
		"e\x1b[31mvil\trole\u202e": "evil\trole",
		" [profile x]\r":           " [profile x]",
		"größe":                    "größe",
	} {
		if got := onScreen(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

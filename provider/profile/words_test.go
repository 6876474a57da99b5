package profile

import (
	"slices"
	"testing"
)

func TestSplitWords(t *testing.T) {
	for _, tc := range []struct {
		line  string
		plain bool // backslashes are plain, as on Windows
		want  []string
	}{
		{`"/opt/my groat" credential-process  'a b'`, false, []string{"/opt/my groat", "credential-process", "a b"}},
		{`a\ b "c\"d\\e\f" ''`, false, []string{"a b", `c"d\e\f`, ""}},
		{`C:\tools\groat.exe credential-process p`, true, []string{`C:\tools\groat.exe`, "credential-process", "p"}},
		{`"C:\Program Files\groat.exe" credential-process p`, true, []string{`C:\Program Files\groat.exe`, "credential-process", "p"}},
		{"\t\n ", false, nil},
		{`a"b c"d'e'`, false, []string{"ab cde"}},
	} {
		got, err := splitWords(tc.line, tc.plain)
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %q, %v, want %q", tc.line, got, err, tc.want)
		}
	}
	for _, line := range []string{`"open`, `'open`, `end\`} {
		if got, err := splitWords(line, false); err == nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}

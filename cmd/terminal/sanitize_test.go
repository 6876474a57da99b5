package terminal

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	for in, want := range map[string]string{
		"plain text":                          "plain text",
		"Ünïcode – ok 漢字 🪙":                   "Ünïcode – ok 漢字 🪙",
		"a\x1b[31mred\x1b[0m":                 "ared",
		"\x1b]0;title\x07x":                   "x",
		"\x1b]8;;http://evil\x1b\\link":       "link",
		"\u009b31mx":                          "x",
		"a\nb\r\n\tc":                         "a b c",
		"admin\u202enimda":                    "adminnimda",
		"zero\u200bwidth\u2066\u2069":         "zerowidth",
		"bell\x07\x00\x7f":                    "bell",
		"bad\xff\xfeutf8":                     "badutf8",
		"\x1bP never ending \x1b[31m payload": "",
		"\x1b":                                "",
		"x\x1b[":                              "x",
	} {
		if got := Sanitize(in); got != want {
			t.Errorf("Sanitize(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"a", "\x1b[31mx", "\u202e", "\x9b1m", "\u009d;\x07", "a\nb", "\x1b]x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Sanitize(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is no UTF-8", got)
		}
		for _, r := range got {
			if unicode.In(r, unicode.Cc, unicode.Cf) || r == '\u2028' || r == '\u2029' {
				t.Fatalf("%q of %q holds %U", got, s, r)
			}
		}
		if again := Sanitize(got); again != got {
			t.Fatalf("%q becomes %q", got, again)
		}
		if strings.ContainsAny(got, "\n\r\t") {
			t.Fatalf("%q has several lines", got)
		}
	})
}

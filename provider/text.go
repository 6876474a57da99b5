package provider

import (
	"strings"
	"unicode"
)

// maxText bounds what one message of AWS or of a file may occupy in an error.
const maxText = 600

// sanitizeText makes text from AWS or from a file safe for a terminal and
// fit for one line: control characters (escape sequences, C1, bidirectional
// overrides) become blanks, long text is cut.
func sanitizeText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText]) + "…"
	}
	return s
}

package terminal

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// sequences are the terminal's control sequences (ECMA-48): CSI, then the
// strings OSC, DCS, SOS, PM and APC up to their end, then short escapes. The
// eight-bit forms (U+009B …) count as well. An unfinished string runs to the
// end of the text, as a terminal would take it. Compiled on first use: most
// runs have nothing to remove.
var sequences = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]?` +
		`|(?:\x1b[\]PX^_]|[\x{9d}\x{90}\x{98}\x{9e}\x{9f}]).*?(?:\x07|\x1b\\|\x{9c}|$)` +
		`|\x1b[ -/]*[0-~]?`)
})

// Sanitize makes text from a config file or from AWS fit for a terminal, on
// one line: control sequences, control characters, invisible format
// characters (bidi marks, zero-width joiners: Unicode Cf and Cc) and invalid
// UTF-8 are removed, line breaks and tabs become one blank.
func Sanitize(s string) string {
	s = strings.ToValidUTF8(s, "")
	if plain(s) {
		return s
	}
	s = sequences().ReplaceAllString(s, "")
	blank := false
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			if blank {
				return -1
			}
			blank = true
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Co) || r == utf8.RuneError:
			return -1
		}
		blank = false
		return r
	}, s)
	return strings.TrimSpace(s)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

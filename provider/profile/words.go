package profile

import (
	"errors"
	"runtime"
	"strings"
)

// SplitWords splits a line as a POSIX shell does (quotes and backslashes, no
// expansion): the rule by which botocore splits section headers and
// credential_process lines. An open quote is an error.
func SplitWords(s string) ([]string, error) { return splitWords(s, false) }

// SplitCommand splits a credential_process line into its words. On Windows
// a backslash is part of a path, not an escape, as in botocore.
func SplitCommand(s string) ([]string, error) { return splitWords(s, runtime.GOOS == "windows") }

func splitWords(s string, plainBackslash bool) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\r', '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return nil, errOpenQuote
			}
			word.WriteString(s[i+1 : i+1+end])
			i += 1 + end
			inWord = true
		case '"':
			end := doubleQuoted(s[i+1:], &word)
			if end < 0 {
				return nil, errOpenQuote
			}
			i += 1 + end
			inWord = true
		case '\\':
			if plainBackslash {
				word.WriteByte(c)
				inWord = true
				continue
			}
			if i++; i == len(s) {
				return nil, errOpenEscape
			}
			word.WriteByte(s[i])
			inWord = true
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words, nil
}

var (
	errOpenQuote  = errors.New("a quote is not closed")
	errOpenEscape = errors.New("nothing follows the last backslash")
)

// doubleQuoted writes the text up to the closing quote and gives that
// quote's index, or -1. Inside, a backslash only escapes a quote or itself.
func doubleQuoted(s string, word *strings.Builder) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			word.WriteByte(s[i])
		default:
			word.WriteByte(s[i])
		}
	}
	return -1
}

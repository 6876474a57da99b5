package child

import (
	"errors"
	"path/filepath"
	"strings"
)

// Windows hands a batch file to cmd.exe, which takes what stands in its
// arguments (& | < > % and quotes) for its own. Programs quote arguments by
// other rules than its, so that an argument could break out and run a command
// (CVE-2024-24576 tells the story). The command line is therefore made here,
// by cmd.exe's rules.

// isBatch reports whether Windows runs a file by cmd.exe: dots and blanks at
// the end of its name do not count.
func isBatch(path string) bool {
	switch strings.ToLower(filepath.Ext(strings.TrimRight(path, ". "))) {
	case ".bat", ".cmd":
		return true
	}
	return false
}

// errBatchArgument is an argument that no quoting carries through cmd.exe.
var errBatchArgument = errors.New("an argument of a batch file must not have a line break or a NUL in it")

// batchLine is a command line for cmd.exe: extensions on, which the defusing
// of % needs; no expansion of !; no AutoRun; and everything in quotes.
func batchLine(path string, args []string) (string, error) {
	if strings.ContainsAny(path, "\"\r\n\x00") || strings.HasSuffix(path, `\`) {
		return "", errors.New("this is not the name of a batch file")
	}
	words := []string{batchWord(path)}
	for _, arg := range args {
		if strings.ContainsAny(arg, "\r\n\x00") {
			return "", errBatchArgument
		}
		words = append(words, batchWord(arg))
	}
	return `cmd.exe /e:ON /v:OFF /d /c "` + strings.Join(words, " ") + `"`, nil
}

// batchWord puts a word into quotes that neither cmd.exe nor the program to
// which the batch file passes it on ends too early: a quote is doubled, and
// backslashes before one are, too. %cd:~,% is an empty piece of a variable:
// with it behind every %, no two of them enclose a name.
func batchWord(word string) string {
	var b strings.Builder
	b.WriteByte('"')
	backslashes := 0
	for _, r := range []byte(word) {
		switch r {
		case '\\':
			backslashes++
			b.WriteByte(r)
			continue
		case '"':
			b.WriteString(strings.Repeat(`\`, backslashes) + `""`)
		case '%':
			b.WriteString("%%cd:~,%")
		default:
			b.WriteByte(r)
		}
		backslashes = 0
	}
	b.WriteString(strings.Repeat(`\`, backslashes) + `"`)
	return b.String()
}

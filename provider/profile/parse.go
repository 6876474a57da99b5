package profile

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"groat/vault/fault"
	"groat/vault/files"
)

// The format is the one that Python's configparser reads for botocore, with
// the deviations that docs/configuration.md lists. A file is scanned once,
// line by line, for section headers; the lines of a section are only looked
// at when a profile needs them, so that 5,000 profiles cost one linear pass.

// sectionKind says what a section header declares.
type sectionKind uint8

const (
	sectionOther sectionKind = iota
	sectionProfile
	sectionSSOSession
	sectionServices
)

// section is one header and the range of its body in the file's text.
type section struct {
	kind       sectionKind
	name       string // of the profile, sso-session or services; the header's text for sectionOther
	line       int    // of the header, 1-based
	headStart  int    // offset of the header line
	start, end int    // offsets of the body
}

// file is one scanned file.
type file struct {
	path        string
	text        string
	credentials bool // every section is a profile, by its bare name
	hasCR       bool // some line may end in \r or \r\n
	sections    []section
	drive       *files.AccessError // it lies on a Windows drive, where only plain lines are obeyed
	fatal       *Error             // a damaged header, or lines before the first: concerns all profiles
}

// byteOrderMark is skipped at the start of a file: Windows editors write it.
const byteOrderMark = "\ufeff"

// bytesPerSection is a guess at the low end, so that the list of a large
// file rarely has to grow.
const bytesPerSection = 128

// scanFile finds the sections of a file in one pass.
func scanFile(path, text string, credentials bool) *file {
	f := &file{path: path, text: text, credentials: credentials, hasCR: strings.IndexByte(text, '\r') >= 0}
	f.sections = make([]section, 0, 8+len(text)/bytesPerSection)
	pos := 0
	if strings.HasPrefix(text, byteOrderMark) {
		pos = len(byteOrderMark)
	}
	var st lineState
	for lineNo := 1; pos < len(text); lineNo++ {
		line, next := f.cutLine(pos)
		start := pos
		pos = next
		kind, stripped := st.classify(line)
		switch kind {
		case lineHeader:
			f.addHeader(stripped, lineNo, start, next)
			st.inSection = true
		case lineOption:
			if !st.inSection {
				f.setFatal(lineNo, fault.New("there is no section header before this line", "", ErrMalformed))
			}
		}
	}
	if n := len(f.sections); n > 0 {
		f.sections[n-1].end = len(text)
	}
	return f
}

// addHeader records a section, or the damage of its header.
func (f *file) addHeader(stripped string, lineNo, start, next int) {
	if n := len(f.sections); n > 0 {
		f.sections[n-1].end = start
	}
	inner, ok := headerText(stripped)
	switch {
	case !utf8.ValidString(inner):
		ok = false
		f.setFatal(lineNo, fault.New("the section header is not UTF-8", "", ErrMalformed))
	case !ok:
		f.setFatal(lineNo, fault.New("the section header is not closed by ] or is empty", "", ErrMalformed))
	}
	s := section{kind: sectionOther, name: inner, line: lineNo, headStart: start, start: next, end: next}
	if ok {
		s.kind, s.name = f.classifyHeader(inner)
	}
	f.sections = append(f.sections, s)
}

func (f *file) setFatal(line int, err error) {
	if f.fatal == nil {
		f.fatal = &Error{File: f.path, Line: line, Err: err, Remedy: "correct that line: it affects every profile of the file"}
	}
}

// headerText is what stands between the brackets, without blanks around it.
// An inline comment after the header is cut; what else follows the last
// bracket is ignored, as configparser does.
func headerText(stripped string) (string, bool) {
	for _, s := range [2]string{cutComment(stripped), stripped} {
		if i := strings.LastIndexByte(s, ']'); i > 0 {
			inner := trimBlank(s[1:i])
			return inner, inner != ""
		}
	}
	return "", false
}

// classifyHeader names what a header declares. botocore splits the headers
// of the config file as a shell would, and only takes those of two words.
func (f *file) classifyHeader(inner string) (sectionKind, string) {
	if f.credentials {
		return sectionProfile, inner
	}
	var kind sectionKind
	switch {
	case inner == "default":
		return sectionProfile, inner
	case strings.HasPrefix(inner, "profile"):
		kind = sectionProfile
	case strings.HasPrefix(inner, "sso-session"):
		kind = sectionSSOSession
	case strings.HasPrefix(inner, "services"):
		kind = sectionServices
	default:
		return sectionOther, inner
	}
	if name, ok := secondWord(inner); ok {
		return kind, name
	}
	return sectionOther, inner
}

// secondWord is the second of exactly two shell words.
func secondWord(s string) (string, bool) {
	if !strings.ContainsAny(s, "\\\"'\t\r\n") && strings.Count(s, " ") == 1 {
		_, name, _ := strings.Cut(s, " ") // nearly every header: no quoting
		return name, name != ""
	}
	words, err := SplitWords(s)
	if err != nil || len(words) != 2 {
		return "", false
	}
	return words[1], true
}

// lineKind says what a line is.
type lineKind uint8

const (
	lineBlank lineKind = iota
	lineComment
	lineContinuation
	lineHeader
	lineOption // or what stands where an option should
)

// lineState is what decides whether an indented line continues the option
// above it: it does when it is indented deeper than that option.
type lineState struct {
	inSection  bool
	haveOption bool
	indent     int
}

// classify says what the line is and gives it without blanks around it.
func (st *lineState) classify(line string) (lineKind, string) {
	if line == "" {
		return lineBlank, ""
	}
	indent := 0
	if c := line[0]; c <= ' ' || c >= utf8.RuneSelf {
		var rest string
		if indent, rest = leadingBlanks(line); rest == "" {
			return lineBlank, ""
		}
		line = rest
	}
	if line[0] == '#' || line[0] == ';' {
		return lineComment, ""
	}
	if st.inSection && st.haveOption && indent > st.indent {
		return lineContinuation, line
	}
	st.indent = indent
	if line[0] == '[' {
		st.haveOption = false
		return lineHeader, line
	}
	if !st.haveOption && st.inSection {
		st.haveOption = isOption(line)
	}
	return lineOption, line
}

// isOption reports whether a line that is no header has a key and a delimiter.
func isOption(line string) bool {
	return strings.IndexAny(cutComment(line), "=:") > 0
}

// splitOption parts a line at the first = or :, which configparser both take.
// The key is in lower case.
func splitOption(line string) (key, val string, ok bool) {
	line = cutComment(line)
	i := strings.IndexAny(line, "=:")
	if i <= 0 {
		return "", "", false
	}
	return strings.ToLower(trimBlank(line[:i])), trimBlank(line[i+1:]), true
}

// cutComment cuts an inline comment: a blank, then # or ;. The line has no
// blanks at its start.
func cutComment(line string) string {
	return line[:commentStart(line)]
}

// commentStart is where the blanks before an inline comment begin, or the
// line's length.
func commentStart(line string) int {
	for i := 1; i < len(line); i++ {
		if (line[i] == '#' || line[i] == ';') && (line[i-1] == ' ' || line[i-1] == '\t') {
			return len(strings.TrimRight(line[:i], " \t"))
		}
	}
	return len(line)
}

// cutLine gives the line that starts at pos, without its end, and where the
// next one starts. \n, \r\n and \r end a line.
func (f *file) cutLine(pos int) (line string, next int) {
	line, next = f.text[pos:], len(f.text)
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line, next = line[:i], pos+i+1
	}
	if !f.hasCR {
		return line, next
	}
	if i := strings.IndexByte(line, '\r'); i >= 0 {
		if i < len(line)-1 || next == pos+i+1 { // not the \r of a \r\n
			next = pos + i + 1
		}
		line = line[:i]
	}
	return line, next
}

// isBlank is Python's str.isspace for one character.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f)
}

func trimBlank(s string) string { return strings.TrimFunc(s, isBlank) }

// leadingBlanks counts the blank characters at the line's start and gives
// the rest, blanks at its end removed too.
func leadingBlanks(line string) (n int, rest string) {
	for i, r := range line {
		if !isBlank(r) {
			return n, strings.TrimRightFunc(line[i:], isBlank)
		}
		n++
	}
	return n, ""
}

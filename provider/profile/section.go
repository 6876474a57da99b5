package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"groat/vault/fault"
)

// entry is one key's value and where it stands.
type entry struct {
	text string // continuation lines joined by \n; a nested value starts with \n
	file *file
	line int
	bad  *Error // a malformed nested line; of no matter if a later value replaces this one
}

// body is what the sections of one name say together: later ones win, and
// the credentials file wins over the config file.
type body struct {
	exists     bool
	values     map[string]entry
	problems   []*Error // malformed lines
	duplicates []*Error // keys and sections said twice in one file
}

// get is the value of a key, "" if it is missing.
func (b *body) get(key string) string { return b.values[key].text }

// has reports whether the key is there with a value.
func (b *body) has(key string) bool { return b.values[key].text != "" }

// addSection reads the lines of one section.
func (b *body) addSection(f *file, s *section) {
	b.exists = true
	if b.values == nil {
		b.values = make(map[string]entry)
	}
	seen := make(map[string]int)
	st := lineState{inSection: true}
	var value openValue
	pos, blanks := s.start, 0
	for lineNo := s.line + 1; pos < s.end; lineNo++ {
		line, next := f.cutLine(pos)
		pos = next
		kind, stripped := st.classify(line)
		if (kind == lineContinuation || kind == lineOption) && !utf8.ValidString(cutComment(stripped)) {
			b.problems = append(b.problems, malformed(f, s, lineNo, "the line is not UTF-8"))
			continue
		}
		switch kind {
		case lineBlank:
			blanks++
		case lineContinuation:
			value.add(f, s, stripped, lineNo, blanks)
			blanks = 0
		case lineOption:
			blanks = 0
			k, val, ok := splitOption(stripped)
			if !ok {
				b.problems = append(b.problems, malformed(f, s, lineNo, "the line is not “key = value”"))
				continue
			}
			if first := seen[k]; first > 0 {
				b.duplicates = append(b.duplicates, &Error{File: f.path, Line: lineNo, Profile: s.name,
					Err: fmt.Errorf("key %q was already set in line %d; the later one is used", k, first)})
			}
			value.closeInto(b)
			seen[k] = lineNo
			value = openValue{key: k, entry: entry{text: val, file: f, line: lineNo}}
		}
	}
	value.closeInto(b)
}

// openValue is the value that continuation lines are still added to.
type openValue struct {
	key   string
	entry entry
	more  strings.Builder
}

// add appends a continuation line, and the blank lines before it.
func (v *openValue) add(f *file, s *section, stripped string, lineNo, blanks int) {
	if v.key == "" {
		return // the option above is malformed and was named
	}
	stripped = trimBlank(cutComment(stripped))
	if v.entry.text == "" && v.entry.bad == nil {
		for part := range strings.FieldsFuncSeq(stripped, isLineEnd) {
			if !strings.Contains(part, "=") {
				v.entry.bad = malformed(f, s, lineNo, fmt.Sprintf("the line under %q is not “key = value”", v.key))
				break
			}
		}
	}
	for range blanks + 1 {
		v.more.WriteByte('\n')
	}
	v.more.WriteString(stripped)
}

// closeInto stores the value; configparser strips the joined lines' end.
func (v *openValue) closeInto(b *body) {
	if v.key != "" {
		v.entry.text = strings.TrimRightFunc(v.entry.text+v.more.String(), isBlank)
		b.values[v.key] = v.entry
	}
}

func malformed(f *file, s *section, line int, what string) *Error {
	return &Error{File: f.path, Line: line, Profile: s.name, Err: fault.New(what, "", ErrMalformed)}
}

// settle adds the malformed nested lines that no later value replaced.
func (b *body) settle() {
	for _, e := range b.values {
		if e.bad != nil {
			b.problems = append(b.problems, e.bad)
		}
	}
	slices.SortStableFunc(b.problems, func(x, y *Error) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
}

// nested reads a value of indented “key = value” lines, such as those of a
// services section. The keys keep their case, as in botocore.
func nested(text string) map[string]string {
	m := make(map[string]string)
	if !strings.HasPrefix(text, "\n") {
		return m
	}
	for _, line := range strings.FieldsFunc(text, isLineEnd) {
		if k, v, ok := strings.Cut(line, "="); ok {
			m[trimBlank(k)] = trimBlank(v)
		}
	}
	return m
}

// isLineEnd is what Python's str.splitlines splits at.
func isLineEnd(r rune) bool {
	return (r >= '\n' && r <= '\r') || (r >= 0x1c && r <= 0x1e) || r == 0x85 || r == 0x2028 || r == 0x2029
}

package profile

import (
	"slices"
	"strings"
)

// option is one key of a section and the lines that it owns.
type option struct {
	key        string
	lines      [][2]int // the line itself, then its continuation lines: from, to, line ends included
	valueStart int      // offset of the value, after the delimiter and its blanks
	valueEnd   int      // where the blanks before a comment, or the line's end, begin
}

// options lists the options of a section in their order.
func (f *file) options(s *section) []option {
	var found []option
	st := lineState{inSection: true}
	for pos := s.start; pos < s.end; {
		line, next := f.cutLine(pos)
		start := pos
		pos = next
		switch kind, stripped := st.classify(line); kind {
		case lineContinuation:
			if n := len(found); n > 0 {
				found[n-1].lines = append(found[n-1].lines, [2]int{start, next})
			}
		case lineOption:
			key, _, ok := splitOption(stripped)
			if !ok {
				continue
			}
			body := start + strings.Index(line, stripped)
			visible := cutComment(stripped)
			i := strings.IndexAny(visible, "=:") + 1
			value := strings.TrimLeftFunc(visible[i:], isBlank)
			end := body + len(strings.TrimRightFunc(visible, isBlank))
			found = append(found, option{key: key, lines: [][2]int{{start, next}}, valueStart: body + len(visible) - len(value), valueEnd: max(end, body+i)})
		}
	}
	return found
}

// replaceValue puts a value in the place of an option's old one, whose
// continuation lines go. A comment behind the old value stays.
func replaceValue(text string, o *option, value string) string {
	start, end := o.valueStart, o.valueEnd
	if start > end {
		start = end
	}
	blank := ""
	if start == end && start >= 2 && isDelimiter(text[start-1]) && text[start-2] == ' ' {
		blank = " " // “key =”: as it was written, with blanks around the delimiter
	}
	out := text[:start] + blank + value + text[end:]
	grown := len(out) - len(text)
	cuts := make([][2]int, 0, len(o.lines))
	for _, l := range o.lines[1:] {
		cuts = append(cuts, [2]int{l[0] + grown, l[1] + grown})
	}
	return cutRanges(out, cuts)
}

func isDelimiter(c byte) bool { return c == '=' || c == ':' }

// manner is how the lines of a section are written.
type manner struct{ indent, delimiter string }

// mannerOf is the manner of a section's last option.
func (f *file) mannerOf(s *section) manner {
	m := manner{delimiter: " = "}
	options := f.options(s)
	if len(options) == 0 {
		return m
	}
	line, _ := f.cutLine(options[len(options)-1].lines[0][0])
	m.indent = line[:len(line)-len(strings.TrimLeftFunc(line, isBlank))]
	if i := strings.IndexAny(line, "=:"); i > 0 && line[i-1] != ' ' && line[i-1] != '\t' {
		m.delimiter = "="
	}
	return m
}

// insertOption adds a line under the last written line of a section.
func (f *file) insertOption(s *section, m manner, key, value string) string {
	return f.insertLines(f.lastWritten(s), m.indent+key+m.delimiter+value)
}

// lastWritten is the offset behind the section's last line that is neither
// blank nor a comment; its header counts.
func (f *file) lastWritten(s *section) int {
	at := s.start
	st := lineState{inSection: true}
	for pos := s.start; pos < s.end; {
		line, next := f.cutLine(pos)
		pos = next
		if kind, _ := st.classify(line); kind != lineBlank && kind != lineComment {
			at = next
		}
	}
	return at
}

// insertLines puts whole lines at an offset where a line begins, or behind a
// last line that has no end. They get the line end used above them.
func (f *file) insertLines(at int, lines ...string) string {
	end := f.lineEnd(at)
	added := strings.Join(lines, end)
	if at > 0 && !endsLine(f.text[:at]) {
		return f.text[:at] + end + added + f.text[at:]
	}
	return f.text[:at] + added + end + f.text[at:]
}

// appendSection adds a section at the end of the file, a blank line before it.
func (f *file) appendSection(header, key, value string) string {
	end := f.lineEnd(len(f.text))
	var b strings.Builder
	b.WriteString(f.text)
	if written := strings.TrimPrefix(f.text, byteOrderMark); written != "" {
		if !endsLine(written) {
			b.WriteString(end)
		}
		if last := strings.TrimRight(written, "\r\n"); !strings.HasPrefix(written[len(last):], end+end) && last != "" {
			b.WriteString(end)
		}
	}
	b.WriteString(header + end + key + " = " + value + end)
	return b.String()
}

func endsLine(s string) bool { return strings.HasSuffix(s, "\n") || strings.HasSuffix(s, "\r") }

// lineEnd is the end of the line above the offset, else of the first line.
func (f *file) lineEnd(at int) string {
	above := f.text[:at]
	for _, end := range [3]string{"\r\n", "\n", "\r"} {
		if strings.HasSuffix(above, end) {
			return end
		}
	}
	for _, text := range [2]string{above, f.text} {
		if i := strings.IndexAny(text, "\r\n"); i >= 0 {
			if strings.HasPrefix(text[i:], "\r\n") {
				return "\r\n"
			}
			return text[i : i+1]
		}
	}
	return "\n"
}

// cutRanges takes byte ranges out of a text.
func cutRanges(text string, ranges [][2]int) string {
	slices.SortFunc(ranges, func(a, b [2]int) int { return a[0] - b[0] })
	var b strings.Builder
	pos := 0
	for _, r := range ranges {
		b.WriteString(text[pos:r[0]])
		pos = r[1]
	}
	b.WriteString(text[pos:])
	return b.String()
}

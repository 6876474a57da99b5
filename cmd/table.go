package cmd

import (
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"

	"groat/cmd/terminal"
)

const (
	columnGap   = "  "
	shortest    = 8 // characters that every column keeps
	shortenedBy = "…"
)

// printTable prints rows as columns. On a terminal the widest columns are
// shortened until a row fits a line; programs get every text whole.
func (o *output) printTable(rows [][]string) error {
	_, err := io.WriteString(o.streams.Out, tableText(rows, lineLength(o.streams.Out)))
	return outputError(err)
}

// tableText lays out rows for that many characters in a line; 0: for any number.
func tableText(rows [][]string, line int) string {
	var widths []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			row[i] = terminal.Sanitize(text)
			widths[i] = max(widths[i], textWidth(row[i]))
		}
	}
	for total := tableWidth(widths); line > 0 && total > line; total-- {
		widest := 0
		for i := range widths {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= shortest {
			break
		}
		widths[widest]--
	}
	var b strings.Builder
	for _, row := range rows {
		end := 0 // blanks at the end of a line help nobody
		for i, text := range row {
			text = shortened(text, widths[i])
			if text != "" {
				b.WriteString(strings.Repeat(" ", end) + text)
				end = 0
			}
			end += widths[i] - textWidth(text) + len(columnGap)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func tableWidth(widths []int) int {
	total := len(columnGap) * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total
}

// shortened is text in at most limit characters' room.
func shortened(text string, limit int) string {
	if textWidth(text) <= limit {
		return text
	}
	end, used := 0, textWidth(shortenedBy)
	for i, r := range text {
		if used += runeWidth(r); used > limit {
			break
		}
		end = i + len(string(r))
	}
	return text[:end] + shortenedBy
}

func textWidth(text string) (n int) {
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is the room that a character takes on a terminal.
func runeWidth(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

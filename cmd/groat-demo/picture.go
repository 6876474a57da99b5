package main

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The picture's measures: columns and lines of text, and pixels.
const (
	columns    = 100
	charWidth  = 8.4
	lineHeight = 19
	margin     = 18
	perScene   = 4.0 // seconds
)

var throwAwayHome = regexp.MustCompile(`[^ ]*groat-demo-[0-9]+`)

// picture draws a run of the demo as an SVG that plays its scenes in a loop,
// dark or light as the reader's browser wants it. It has no script: pages that
// show repositories allow none.
func picture(transcript string) string {
	scenes := strings.Split(throwAwayHome.ReplaceAllString(transcript, "~"), "\n== ")[1:]
	rows := 0
	var frames strings.Builder
	for i, scene := range scenes {
		title, body, _ := strings.Cut(scene, "\n")
		lines := append([]string{"# " + title}, strings.Split(strings.Trim(body, "\n"), "\n")...)
		rows = max(rows, len(lines))
		fmt.Fprintf(&frames, "<g class=\"s\" style=\"animation-delay:%.1fs\">\n", float64(i)*perScene)
		for j, line := range lines {
			fmt.Fprintf(&frames, "<text class=\"%s\" y=\"%d\">%s</text>\n", styleOf(line), margin+lineHeight*(j+1), escape(shorten(line)))
		}
		frames.WriteString("</g>\n")
	}
	total := float64(len(scenes)) * perScene
	width, height := int(columns*charWidth)+2*margin, lineHeight*(rows+1)+2*margin
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="groat at work: a key goes into the vault, one token code serves two roles, sessions are listed and dropped">
<style>
:root{--b:#ffffff;--f:#1f2328;--c:#0550ae;--h:#6e7781;--a:#116329;--e:#a40e26}
@media (prefers-color-scheme:dark){:root{--b:#0d1117;--f:#e6edf3;--c:#79c0ff;--h:#8b949e;--a:#7ee787;--e:#ffa198}}
rect{fill:var(--b);stroke:var(--h)}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:var(--f);white-space:pre}
.c{fill:var(--c);font-weight:600}.h{fill:var(--h)}.a{fill:var(--a)}.e{fill:var(--e)}
.s{opacity:0;animation:s %.1fs infinite step-end}
@keyframes s{0%%{opacity:1}%.3f%%{opacity:0}100%%{opacity:0}}
@media (prefers-reduced-motion:reduce){.s{animation:none}.s:first-of-type{opacity:1}}
</style>
<rect x="1" y="1" width="%d" height="%d" rx="8"/>
<g transform="translate(%d 0)">
%s</g>
</svg>
`, width, height, total, 100/float64(len(scenes)), width-2, height-2, margin, frames.String())
}

// styleOf tells a title, a command, a call of AWS and a message apart.
func styleOf(line string) string {
	switch {
	case strings.HasPrefix(line, "# "):
		return "h"
	case strings.HasPrefix(line, "$ "):
		return "c"
	case strings.HasPrefix(line, "  AWS: "), strings.HasPrefix(line, "  disk: "):
		return "a"
	case strings.HasPrefix(line, "  groat: "):
		return "e"
	}
	return "t"
}

func shorten(line string) string {
	if utf8.RuneCountInString(line) <= columns {
		return line
	}
	return string([]rune(line)[:columns-1]) + "…"
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
	return b.String()
}

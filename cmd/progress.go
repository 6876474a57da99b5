package cmd

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"groat/cmd/terminal"
)

// progress is one line on a terminal's stderr that is written over and over;
// elsewhere it is nothing.
type progress struct {
	mu  sync.Mutex
	out io.Writer // nil: no terminal
}

func newProgress(a *app) *progress {
	p := &progress{}
	if isTerminal(a.streams.Err) {
		p.out = a.streams.Err
	}
	return p
}

// barWidth is the bar's, in cells.
const barWidth = 20

// show draws how many of all are done, and what is being done.
func (p *progress) show(done, all int, doing string) {
	if p.out == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	full := barWidth * done / max(all, 1)
	line := fmt.Sprintf("[%s%s] %d/%d %s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), done, all, terminal.Sanitize(doing))
	cells := []rune(line)
	cells = cells[:min(len(cells), 79)] // a line that wraps cannot be written over
	fmt.Fprintf(p.out, "\r\x1b[K%s", string(cells))
}

// end takes the line away.
func (p *progress) end() {
	if p.out != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

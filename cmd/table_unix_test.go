//go:build unix

package cmd

import (
	"bufio"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// The length of a line is asked of the very terminal that is written to; what
// is no terminal has none.
func TestTableOnATerminal(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 24, Cols: 30}); err != nil {
		t.Fatal(err)
	}
	a := &output{streams: Streams{Out: tty}}
	if err := a.printTable([][]string{{"x", strings.Repeat("long", 20)}}); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(master).ReadString('\n')
	if want := "x  " + strings.Repeat("long", 20)[:26] + "…"; err != nil || strings.TrimRight(line, "\r\n") != want {
		t.Errorf("%q, %v; want %q", line, err, want)
	}
	if n := lineLength(&strings.Builder{}); n != 0 {
		t.Errorf("a line of %d characters without a terminal", n)
	}
}

//go:build unix

package terminal

import (
	"strings"
	"testing"
)

func TestTellShowsAndDoesNotWait(t *testing.T) {
	s := onTerminal(t, "tell")
	s.Ends(0, "answer=<nil>\n")
	screen := s.Screen()
	if !strings.Contains(screen, "open https://x.example\r\ncompare the code ") || strings.Contains(screen, "\x1b") {
		t.Errorf("the screen shows %q", screen)
	}
}

func TestNobodyIsTold(t *testing.T) {
	s := onTerminal(t, "tell", "HELPER_NO_INPUT=1")
	s.Ends(5, "error=noterminal")
}

package cmd

import (
	"strings"
	"testing"
)

func TestTablesFitTheTerminal(t *testing.T) {
	rows := func() [][]string {
		return [][]string{
			{"PROFILE", "KEY", "ROLE", "SESSIONS"},
			{"production", "default", "role/team/administrators (111111111111)", "session-token (7h59m), assumed-role (59m)"},
			{"東京", "-", "-", ""},
		}
	}
	for _, c := range []struct {
		line int
		want string
	}{
		{0, "" +
			"PROFILE     KEY      ROLE                                     SESSIONS\n" +
			"production  default  role/team/administrators (111111111111)  session-token (7h59m), assumed-role (59m)\n" +
			"東京        -        -\n"},
		{60, "" +
			"PROFILE     KEY      ROLE                SESSIONS\n" +
			"production  default  role/team/adminis…  session-token (7h5…\n" +
			"東京        -        -\n"},
		{10, "" + // no column vanishes
			"PROFILE   KEY      ROLE      SESSIONS\n" +
			"product…  default  role/te…  session…\n" +
			"東京      -        -\n"},
	} {
		got := tableText(rows(), c.line)
		if got != c.want {
			t.Errorf("%d characters:\n%swant:\n%s", c.line, got, c.want)
		}
		for line := range strings.Lines(got) {
			if n := textWidth(strings.TrimSuffix(line, "\n")); c.line > 50 && n > c.line {
				t.Errorf("%d characters in a line of %d: %s", n, c.line, line)
			}
		}
	}
	for text, want := range map[string]string{"東京都庁": "東京…", "東京": "東京", "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301": "e\u0301e\u0301e\u0301e\u0301…"} {
		if got := shortened(text, 5); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

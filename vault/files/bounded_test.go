package files

import (
	"fmt"
	"testing"
)

// What is too long is cut, counted as written, and said to be cut.
func TestBoundedKeepsTheFirstBytes(t *testing.T) {
	for _, c := range []struct {
		writes []string
		want   string
		more   bool
	}{
		{nil, "", false},
		{[]string{"abc", "de"}, "abcde", false},
		{[]string{"abc", "def"}, "abcde", true},
		{[]string{"abcdefgh", "i"}, "abcde", true},
	} {
		b := Bounded{Max: 5}
		for _, w := range c.writes {
			if n, err := fmt.Fprint(&b, w); n != len(w) || err != nil {
				t.Errorf("%q: %d, %v", w, n, err)
			}
		}
		if b.String() != c.want || string(b.Bytes()) != c.want || b.More != c.more {
			t.Errorf("%q: %q, %v", c.writes, b.String(), b.More)
		}
	}
}

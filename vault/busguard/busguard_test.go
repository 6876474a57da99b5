package busguard

import (
	"slices"
	"testing"
)

func TestRestore(t *testing.T) {
	defer func(w, s bool, o string) { withheld, wasSet, original = w, s, o }(withheld, wasSet, original)
	real := "unix:path=/run/user/1000/bus"
	for _, c := range []struct {
		name     string
		withheld bool
		wasSet   bool
		env      []string
		want     []string
	}{
		{"back in its place", true, true, []string{"A=1", Variable + "=" + Withheld, "B=2"}, []string{"A=1", Variable + "=" + real, "B=2"}},
		{"absent again when it was never set", true, false, []string{"A=1", Variable + "=" + Withheld, "B=2"}, []string{"A=1", "B=2"}},
		{"a later value is left alone", true, true, []string{Variable + "=unix:path=/other"}, []string{Variable + "=unix:path=/other"}},
		{"similar names are left alone", true, true, []string{Variable + "_X=1", "X" + Variable + "=2"}, []string{Variable + "_X=1", "X" + Variable + "=2"}},
		{"no guard, no change", false, false, []string{"A=1"}, []string{"A=1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			withheld, wasSet, original = c.withheld, c.wasSet, real
			if got := restore(c.env); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

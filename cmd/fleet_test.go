package cmd

import "testing"

// A prefix stands before every line on the screen, and names come from files.
func TestPrefixOfEach(t *testing.T) {
	f := &fleet{names: []string{"größe", "e\x1b[31mvil", "dev"}}
	for i, want := range []string{"größe | ", "evil  | ", "dev   | "} {
		if got := f.prefix(i); got != want {
			t.Errorf("%q: %q, want %q", f.names[i], got, want)
		}
	}
}

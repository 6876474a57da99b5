package cmd

import "testing"

// Of two equal names groat reads the one that its children get.
func TestEqualNamesAreReadAsTheyAreHandedOn(t *testing.T) {
	a := newApp([]string{"AWS_PROFILE=first", "AWS_PROFILE=second"}, Streams{})
	if got := a.getenv("AWS_PROFILE"); got != "first" || len(a.environ) != 1 {
		t.Errorf("read %q of %q", got, a.environ)
	}
}

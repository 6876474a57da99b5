package profile

import (
	"slices"
	"testing"
	"testing/quick"
)

// Nobody is asked whether the very name was meant, nor twice about one.
func TestSuggestionsAreOtherNames(t *testing.T) {
	got := Near("admin", []string{"admin", "Admin", "admins", "admins", "nowhere", "admin"})
	if want := []string{"Admin", "admins"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	never := func(name string, others []string) bool {
		return !slices.Contains(Near(name, append(others, name, name+"x")), name)
	}
	if err := quick.Check(never, nil); err != nil {
		t.Error(err)
	}
}

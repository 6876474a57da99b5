package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestHint(t *testing.T) {
	class := errors.New("class")
	err := fmt.Errorf("outside: %w", New("text", "remedy", class))
	if !errors.Is(err, class) || err.Error() != "outside: text" {
		t.Errorf("got %q", err)
	}
	for want, err := range map[string]error{"remedy": err, "outer": New("text", "outer", err), "": class} {
		if got := Hint(err); got != want {
			t.Errorf("Hint(%v) = %q, want %q", err, got, want)
		}
	}
	if Hint(nil) != "" {
		t.Error("nothing has a hint")
	}
}

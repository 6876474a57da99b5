package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A chain that would take AWS minutes is refused before any call.
func TestLongChainIsRefused(t *testing.T) {
	chain := func(n int) error {
		var text strings.Builder
		for i := range n - 1 {
			fmt.Fprintf(&text, "[profile p%d]\nrole_arn = arn:aws:iam::123456789012:role/r%d\nsource_profile = p%d\n", i, i, i+1)
		}
		fmt.Fprintf(&text, "[profile p%d]\n", n-1)
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(LoadOptions{ConfigFile: file})
		if err != nil {
			t.Fatal(err)
		}
		last := fmt.Sprintf("p%d", n-1)
		_, err = c.Resolve("p0", ResolveOptions{
			HoldsKey: func(name string) (bool, error) { return name == last, nil },
			Getenv:   func(string) string { return "" },
		})
		return err
	}
	if err := chain(maxChain); err != nil {
		t.Errorf("%d profiles: %v", maxChain, err)
	}
	for _, n := range []int{maxChain + 1, 1000} {
		if err := chain(n); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "longer than 32") {
			t.Errorf("%d profiles: %v", n, err)
		}
	}
}

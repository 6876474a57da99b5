package cmd

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"groat/vault"
)

// The flags that take a backend take what the vault's table has.
func TestFlagsTakeTheTableOfBackends(t *testing.T) {
	model, err := kong.New(&cli{}, newApp(nil, Streams{}).kongOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	auto := append([]string{"auto"}, vault.AllBackends...)
	want := map[string][]string{"backend": auto, "source-backend": auto, "from": vault.AllBackends, "to": vault.AllBackends}
	nodes := []*kong.Node{model.Model.Node}
	for _, n := range model.Model.Children {
		if n.Name == "import" || n.Name == "migrate" {
			nodes = append(nodes, n)
		}
	}
	seen := 0
	for _, n := range nodes {
		for _, f := range n.Flags {
			if names, is := want[f.Name]; is && !(n.Name == "import" && f.Name == "from") {
				seen++
				if !slices.Equal(f.EnumSlice(), names) {
					t.Errorf("%s --%s takes %q", n.Name, f.Name, f.EnumSlice())
				}
			}
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d flags", seen, len(want))
	}
}

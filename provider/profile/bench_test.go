package profile

import (
	"fmt"
	"strings"
	"testing"
)

// manyProfiles is a config of n role profiles over one key.
func manyProfiles(n int) string {
	var b strings.Builder
	b.WriteString("[default]\nregion = eu-west-1\n")
	for i := range n {
		fmt.Fprintf(&b, "\n[profile team-%d]\n# owned by team %d\nrole_arn = arn:aws:iam::123456789012:role/team-%d\nsource_profile = default\nregion = eu-west-1\noutput = json\n", i, i, i)
	}
	return b.String()
}

func BenchmarkLoadAndResolve(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		text := manyProfiles(n)
		o := ResolveOptions{HoldsKey: holding("default"), SelfProfile: selfGroat}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				c := load(b, text, "")
				if _, err := c.Resolve(fmt.Sprintf("team-%d", n-1), o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One linear pass: the work per profile does not grow with their number.
// Allocations are counted, not time.
func TestLoadIsLinear(t *testing.T) {
	o := ResolveOptions{HoldsKey: holding("default"), SelfProfile: selfGroat}
	allocations := func(n int) float64 {
		text := manyProfiles(n)
		name := fmt.Sprintf("team-%d", n-1)
		return testing.AllocsPerRun(3, func() {
			if _, err := load(t, text, "").Resolve(name, o); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := allocations(10), allocations(5000)
	if many > few+40 { // the header list grows by doubling
		t.Errorf("%v allocations for 10 profiles, %v for 5,000", few, many)
	}
}

package provider_test

import (
	"testing"
	"time"

	"groat/provider"
)

// One notation wherever a duration is shown: that of the flags.
func TestShortDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"8h": 8 * time.Hour, "1h30m": 90 * time.Minute, "15m": 15 * time.Minute, "45s": 45 * time.Second,
		"1h0m5s": time.Hour + 5*time.Second, "1m5s": 65 * time.Second, "10h": 10 * time.Hour, "0s": 0,
	} {
		if got := provider.ShortDuration(d); got != want {
			t.Errorf("%v is shown as %s, not %s", d, got, want)
		}
	}
}

package cmd

import (
	"testing"
	"time"

	"groat/provider"
)

// A duration that AWS would refuse is laid to the flag or variable it came from.
func TestLifetimeFlag(t *testing.T) {
	a := newApp(nil, Streams{})
	long := &provider.BoundsError{What: "role", Given: 15 * time.Hour}
	if got := a.lifetimeFlag(long, minting{Duration: ttl(15 * time.Hour), SessionTTL: ttl(time.Hour)}); got != "--duration" {
		t.Error(got)
	}
	if got := a.lifetimeFlag(long, minting{Duration: ttl(time.Hour), AssumeRoleTTL: ttl(15 * time.Hour)}); got != "--assume-role-ttl" {
		t.Error(got)
	}
	a.settings.from = map[string]string{"duration": "GROAT_DURATION"}
	if got := a.lifetimeFlag(long, minting{Duration: ttl(15 * time.Hour)}); got != "GROAT_DURATION" {
		t.Error(got)
	}
}

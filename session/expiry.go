package session

import "time"

// How much of an entry must be left for it to be served, unless MinTTL says
// otherwise. Botocore refreshes in the last 15 minutes and runs the helper
// again for every request in them, so what can be renewed silently is renewed
// before; a person is only asked when AWS is about to end the session anyway.
const (
	DefaultMinTTL = 15 * time.Minute
	AskingMinTTL  = 5 * time.Minute
)

// clockSlack is how far in the future an entry may have been issued: a home
// directory shared by machines whose clocks differ a little.
const clockSlack = time.Minute

// verdict is what the times of an entry say about serving it.
type verdict int

const (
	unusable       verdict = iota // mint anew
	usable                        // serve
	usableIfAsking                // serve if renewing would have to ask somebody, else mint anew
)

// judge decides by the times alone. minTTL is Cache.MinTTL: zero means the
// defaults. However long the minimum, no more than a third of the lifetime is
// held back, so that a session of 15 minutes is worth caching.
func judge(issued, expiration, now time.Time, minTTL time.Duration) verdict {
	lifetime := expiration.Sub(issued)
	if issued.IsZero() || expiration.IsZero() || lifetime <= 0 {
		return unusable
	}
	if issued.After(now.Add(clockSlack)) {
		return unusable // the clock was put back, now or then: no time in the entry can be trusted
	}
	left := expiration.Sub(now)
	enough := func(minimum time.Duration) bool { return left > 0 && left > min(minimum, lifetime/3) }
	switch {
	case minTTL != 0 && enough(minTTL):
		return usable
	case minTTL != 0:
		return unusable
	case enough(DefaultMinTTL):
		return usable
	case enough(AskingMinTTL):
		return usableIfAsking
	default:
		return unusable
	}
}

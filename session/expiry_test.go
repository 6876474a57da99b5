package session

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	const h, m, s = time.Hour, time.Minute, time.Second
	for _, tt := range []struct {
		name           string
		lifetime, left time.Duration
		ahead          time.Duration // of the clock: the entry's Issued moves by it
		minTTL         time.Duration
		want           verdict
	}{
		{"new", h, h, 0, 0, usable},
		{"just enough", h, 15*m + s, 0, 0, usable},
		{"exactly the minimum", h, 15 * m, 0, 0, usableIfAsking},
		{"renewed silently, kept when asking", h, 6 * m, 0, 0, usableIfAsking},
		{"just enough when asking", h, 5*m + s, 0, 0, usableIfAsking},
		{"exactly the least", h, 5 * m, 0, 0, unusable},
		{"expired", h, 0, 0, 0, unusable},
		{"long expired", h, -48 * h, 0, 0, unusable},
		{"shortest session, new", 15 * m, 15 * m, 0, 0, usable},
		{"shortest session, two thirds gone", 15 * m, 5*m + s, 0, 0, usable},
		{"shortest session, a third left", 15 * m, 5 * m, 0, 0, unusable},
		{"half an hour: a third is 10 min", 30 * m, 10*m + s, 0, 0, usable},
		{"half an hour: within its third", 30 * m, 10 * m, 0, 0, usableIfAsking},
		{"a minute in all", m, 21 * s, 0, 0, usable},
		{"a minute in all, within its third", m, 20 * s, 0, 0, unusable},
		{"own minimum, enough", h, 11 * m, 0, 10 * m, usable},
		{"own minimum, not enough, never asks", h, 10 * m, 0, 10 * m, unusable},
		{"own minimum below five minutes", h, 2 * m, 0, m, usable},
		{"own minimum beyond a third", h, 21 * m, 0, 12 * h, usable},
		{"own minimum beyond a third, within it", h, 20 * m, 0, 12 * h, unusable},
		{"tiny own minimum, expired", h, 0, 0, 1, unusable},
		{"issued a moment ahead", h, h, 59 * s, 0, usable},
		{"issued in the future", h, h, 61 * s, 0, unusable},
		{"issued in the far future", h, 24 * h, 24 * h, 0, unusable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			expiration := testNow.Add(tt.left)
			issued := expiration.Add(-tt.lifetime)
			if tt.ahead != 0 {
				issued, expiration = testNow.Add(tt.ahead), testNow.Add(tt.ahead+tt.lifetime)
			}
			if got := judge(issued, expiration, testNow, tt.minTTL); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	for _, bad := range [][2]time.Time{
		{}, {testNow, {}}, {{}, testNow.Add(h)}, {testNow, testNow}, {testNow.Add(h), testNow},
	} {
		if got := judge(bad[0], bad[1], testNow, 0); got != unusable {
			t.Errorf("issued %v, expires %v: %d", bad[0], bad[1], got)
		}
	}
}

// What is served is never expired, time only ever makes an entry worse, and
// a longer minimum never serves more.
func TestJudgeProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	span := func(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(2*d))) - d }
	for range 200_000 {
		issued := testNow.Add(span(48 * time.Hour))
		expiration := issued.Add(span(37 * time.Hour))
		minTTL := time.Duration(r.Int64N(int64(4*time.Hour))) * time.Duration(r.IntN(2))
		got := judge(issued, expiration, testNow, minTTL)
		if got != unusable && !expiration.After(testNow) {
			t.Fatalf("serves what expired: issued %v, expires %v, minimum %v", issued, expiration, minTTL)
		}
		later := testNow.Add(time.Duration(r.Int64N(int64(time.Hour))))
		rank := map[verdict]int{unusable: 0, usableIfAsking: 1, usable: 2}
		if next := judge(issued, expiration, later, minTTL); rank[next] > rank[got] && !issued.After(testNow.Add(clockSlack)) {
			t.Fatalf("got better with time: issued %v, expires %v, minimum %v", issued, expiration, minTTL)
		}
		if minTTL > 0 && got == unusable && judge(issued, expiration, testNow, 2*minTTL) == usable {
			t.Fatalf("a longer minimum serves more: issued %v, expires %v, minimum %v", issued, expiration, minTTL)
		}
	}
}

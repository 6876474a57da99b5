package provider

import (
	"context"
	"time"
)

// StepState is what the cache holds for one step of a plan.
type StepState struct {
	Cacheable  bool      // whether its result is ever kept
	Cached     bool      // a fresh result is there and would be served
	Expiration time.Time // of that result; zero when there is none
	Needed     bool      // answering now would make this step's call
	Asks       bool      // answering now would ask for a token code for it, or for a sign-in
}

// Cached says what is cached of a plan and what answering it now would call
// and ask: what `explain` shows. It takes no lock, mints nothing and sends
// nothing. A store that cannot be read counts as empty.
func (m *Minter) Cached(ctx context.Context, p *Plan) []StepState {
	r := &run{m: m, plan: p, fromCache: make([]bool, len(p.Steps))}
	states := make([]StepState, len(p.Steps))
	needed := true
	for i := len(p.Steps) - 1; i >= 0; i-- {
		s := &states[i]
		s.Cacheable = p.kept(i) != ""
		if s.Cacheable {
			if creds, ok, err := m.Cache.Get(ctx, r.request(i)); ok && err == nil {
				s.Cached, s.Expiration = true, creds.Expiration
			}
		}
		needed = needed && !s.Cached
		s.Needed = needed
		s.Asks = needed && r.asksItself(ctx, i)
	}
	return states
}

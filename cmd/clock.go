package cmd

import (
	"context"
	"time"
)

// clock is the time, and how it passes.
type clock struct {
	now  func() time.Time
	wait func(ctx context.Context, d time.Duration) error // nil: a timer
}

// sleep waits; the end of ctx ends it with its cause.
func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	if c.wait != nil {
		return c.wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

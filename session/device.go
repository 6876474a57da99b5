package session

import "context"

// LockDevice waits until no other process asks for, or uses, a token code of
// this MFA device. Hold it from before the question until AWS has answered the
// call that carries the code, then call release with that outcome (nil when
// the code was taken). A failure that Final calls final ends the wait of all
// who were already waiting for this device; any other error, and a nil one,
// lets the next of them ask. If locks cannot be used, LockDevice warns once
// and returns without one.
//
// Inside a Mint the context must be the one the mint was given: the entry's
// lock then says that somebody is being asked.
func (c *Cache) LockDevice(ctx context.Context, serial string) (release func(error), err error) {
	label := holderLabel("")
	outer, _ := ctx.Value(heldLock{}).(*held)
	if outer != nil {
		label = outer.label
	}
	l, _, err := c.acquire(ctx, lockFileName("mfa", serial), label, outer, nil)
	if err != nil {
		return nil, err
	}
	l.begin()
	l.asks(label)
	return func(err error) {
		l.finish(false, err)
		l.unlock()
	}, nil
}

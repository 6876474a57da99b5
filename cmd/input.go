package cmd

import (
	"context"
	"io"
)

// input is stdin, whose reading ends with ctx.
func (s Streams) input(ctx context.Context) io.Reader { return interruptible{ctx, s.In} }

type interruptible struct {
	ctx context.Context
	r   io.Reader
}

// Read gives up with the context; what still comes then is lost.
func (i interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	buf, done := make([]byte, len(p)), make(chan result, 1)
	go func() {
		n, err := i.r.Read(buf)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return copy(p, buf[:r.n]), r.err
	case <-i.ctx.Done():
		return 0, context.Cause(i.ctx)
	}
}

package iam

import (
	"context"
	"errors"
	"time"

	"groat/provider"
	"groat/session"
)

// Client calls IAM for one caller.
type Client struct {
	Options     provider.CallOptions
	Credentials session.Credentials // that sign the calls: a session, or a bare key
}

// code is AWS's error code; "" where AWS gave none.
func code(err error) string {
	var e *provider.CallError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func isDenied(err error) bool {
	c := code(err)
	return c == "AccessDenied" || c == "AccessDeniedException"
}

// Clock is the time and the waiting of what takes more than one look.
type Clock struct {
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error // the end of ctx ends it
}

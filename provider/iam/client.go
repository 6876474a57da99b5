package iam

import (
	"context"
	"errors"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"groat/provider"
	"groat/session"
)

// Client calls IAM for one caller.
type Client struct {
	Options     provider.CallOptions
	Credentials session.Credentials // that sign the calls: a session, or a bare key
}

// method is one of the SDK client's.
type method[In, Out any] = func(*awsiam.Client, context.Context, *In, ...func(*awsiam.Options)) (*Out, error)

// do makes a call that may be repeated at will.
func do[In, Out any](ctx context.Context, c Client, operation string, in *In, m method[In, Out]) (*Out, error) {
	return provider.CallIAM(ctx, c.Options, c.Credentials, operation, in, m)
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

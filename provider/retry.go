package provider

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

const (
	maxAttempts = 3
	maxBackoff  = 2 * time.Second
)

// retryAll is for calls that may be repeated at will: 5xx, 429, throttling
// and broken connections, three attempts in all.
func retryAll() aws.Retryer { return newRetryer(retry.DefaultRetryables) }

// retryUntaken is for calls that carry a token code: AWS takes a code once,
// so a call is repeated only where it is certain that no one looked at it:
// no connection was made, or the answer says that the request was turned
// away (429, throttling, 503).
func retryUntaken() aws.Retryer {
	return newRetryer([]retry.IsErrorRetryable{
		retry.NoRetryCanceledError{},
		retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			if neverSent(err) {
				return aws.TrueTernary
			}
			return aws.UnknownTernary
		}),
		retry.RetryableErrorCode{Codes: retry.DefaultThrottleErrorCodes},
		retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusServiceUnavailable: {}}},
	})
}

func newRetryer(retryables []retry.IsErrorRetryable) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.MaxBackoff = maxBackoff
		o.RateLimiter = ratelimit.None
		o.Retryables = append(append([]retry.IsErrorRetryable{}, retryables...),
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}})
		o.Backoff = retry.BackoffDelayerFunc(backoff)
	})
}

// backoff doubles from about 150 ms, with jitter, so that a hundred
// processes do not come back together.
func backoff(attempt int, _ error) (time.Duration, error) {
	d := min(100*time.Millisecond<<min(attempt, 5), maxBackoff)
	return d/2 + rand.N(d/2+1), nil
}

// neverSent reports whether a call failed before its request went out.
func neverSent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	if errors.As(err, &certificate) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	return errors.Is(err, errProxy) || (errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")) || errors.As(err, &dns)
}

package provider

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"groat/provider/profile"
	"groat/vault/fault"
)

// CallOptions says for whom and where one AWS call is made.
type CallOptions struct {
	Profile   string // for messages
	Region    string // "" = us-east-1
	Endpoints profile.Endpoints
	HTTP      *http.Client // nil: a new one of NewHTTPClient
	Now       func() time.Time
	Debugf    func(format string, args ...any)
	Timeout   time.Duration // of the call with its retries; 0 = 15 s
	// Once: the call makes something, or carries a code, and is repeated only
	// where it is certain that AWS has not taken it.
	Once bool
}

// bounded limits a call in time, so that a silent endpoint is given up.
func (o CallOptions) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if o.Timeout != 0 {
		return context.WithTimeout(ctx, o.Timeout)
	}
	return context.WithTimeout(ctx, callTimeout)
}

func (o CallOptions) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

func (o CallOptions) debugf(format string, args ...any) {
	if o.Debugf != nil {
		o.Debugf(format, args...)
	}
}

func (o CallOptions) httpClient() (*http.Client, error) {
	if o.HTTP != nil {
		return o.HTTP, nil
	}
	return NewHTTPClient(o.Endpoints.CABundle, nil)
}

func (o CallOptions) region() string {
	if o.Region == "" {
		return defaultRegions[defaultPartition]
	}
	return o.Region
}

// callError turns an error of the SDK into one of ours. ctx is the caller's,
// not the bounded one of the call: only so can an interruption be told from
// a silent endpoint.
func (o CallOptions) callError(ctx context.Context, operation, target string, err error) error {
	var configuration *profile.Error
	switch {
	case errors.As(err, &configuration):
		return err
	case errors.Is(context.Cause(ctx), ErrInterrupted), errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s for profile %q: %w", operation, o.Profile, ErrInterrupted)
	}
	e := &CallError{Operation: operation, Profile: o.Profile, Target: target, Err: ErrUnreachable}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.Status = response.HTTPStatusCode()
		e.Skew = o.skew(response)
	}
	var api smithy.APIError
	if errors.As(err, &api) && e.Status >= 400 {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	}
	switch {
	case e.Status >= 400 && e.Status < 500 && e.Status != http.StatusTooManyRequests && e.Code != "" && !isThrottling(e.Code) && !strings.EqualFold(e.Code, "UnknownError"):
		e.Err = ErrRefused
	case e.Status >= 400 && e.Code != "" && !strings.EqualFold(e.Code, "UnknownError"):
		e.Remedy = "AWS is overloaded or has an outage there: try again in a minute"
	case e.Status != 0:
		e.Code, e.Message = "", fmt.Sprintf("HTTP status %d with an answer that is not AWS's", e.Status)
		if errors.Is(err, errTooLong) {
			e.Message = errTooLong.Error()
		}
		e.Remedy = "a proxy or a captive portal may be in between, or endpoint_url may be wrong"
	default:
		e.Message, e.Remedy, e.own = unreachable(err, o.Endpoints.CABundle)
	}
	e.neverSent, e.silent = neverSent(err), isTimeout(err)
	return e
}

// skew is how far AWS's clock is ahead of ours, by the answer's Date header.
func (o CallOptions) skew(response *awshttp.ResponseError) time.Duration {
	if response.Response == nil || response.Response.Response == nil {
		return 0
	}
	date, err := http.ParseTime(response.Response.Header.Get("Date"))
	if err != nil {
		return 0
	}
	return date.Sub(o.now().Truncate(time.Second))
}

func isThrottling(code string) bool {
	switch code {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "SlowDownException", "PriorRequestNotComplete":
		return true
	}
	return false
}

// unreachable says why there was no answer, what may help, and whether it is
// this process's own environment that is at fault: others may have a better.
func unreachable(err error, caBundle string) (message, remedy string, own bool) {
	const network = "check the network, HTTPS_PROXY and the endpoint, then try again"
	var dns *net.DNSError
	var op *net.OpError
	var u *url.Error
	var refused *fault.Error
	switch {
	case errors.Is(err, errProxy) && errors.As(err, &refused):
		return refused.Text, refused.Remedy, true
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "proxy: " + op.Err.Error(), "check HTTPS_PROXY and NO_PROXY", true
	case errors.As(err, &dns):
		return fmt.Sprintf("host %s was not found", dns.Name), network, false
	case isCertificateError(err):
		if errors.As(err, &u) {
			err = u.Err
		}
		return err.Error(), certificateRemedy(err, caBundle), true
	case errors.As(err, &op) && op.Op == "dial":
		return op.Error(), network, false
	case isTimeout(err):
		return "no answer in time", network, false
	case errors.Is(err, errTooLong):
		return errTooLong.Error(), "a proxy or a captive portal may be in between, or endpoint_url may be wrong", false
	case errors.As(err, &u):
		return u.Err.Error(), network, false
	}
	var deserialization *smithy.DeserializationError
	if errors.As(err, &deserialization) {
		return "the answer is not AWS's", "a proxy or a captive portal may be in between, or endpoint_url may be wrong", false
	}
	return innermost(err).Error(), network, false
}

// certificateRemedy tells the ways apart in which a certificate is not taken.
func certificateRemedy(err error, caBundle string) string {
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var roots x509.SystemRootsError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "check this machine's clock; if it is right, the server's certificate has expired and its owner must renew it"
	case errors.As(err, &host):
		return "check endpoint_url: the server that answers is not the one it names, or a proxy answers in its place"
	case errors.As(err, &roots), errors.As(err, &unknown) && caBundle == "" && noSystemRoots():
		return "this machine has no CA certificates: install them (the package ca-certificates), or set AWS_CA_BUNDLE"
	}
	return "if a proxy re-signs TLS here, set ca_bundle or AWS_CA_BUNDLE to its certificates"
}

// noSystemRoots reports whether the system's pool is empty. Windows and macOS
// check elsewhere, with a pool that has no parts to count.
func noSystemRoots() bool {
	pool, err := x509.SystemCertPool()
	return err == nil && pool.Equal(x509.NewCertPool())
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &timeout) && timeout.Timeout())
}

func isCertificateError(err error) bool {
	text := err.Error()
	return strings.Contains(text, "x509: ") || strings.Contains(text, "tls: ")
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

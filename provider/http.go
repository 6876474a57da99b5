package provider

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"groat/provider/profile"
	"groat/vault/fault"
	"groat/vault/files"
)

// Times and sizes of one HTTP exchange. A half-open endpoint is given up by
// callTimeout, whatever the retries; the SDKs kill a credential process
// after 60 s.
const (
	dialTimeout    = 5 * time.Second
	tlsTimeout     = 5 * time.Second
	headerTimeout  = 7 * time.Second
	callTimeout    = 15 * time.Second
	maxResponse    = 8 << 20 // bytes of one answer; the longest is a credential report: 5,000 users, in base64
	maxRequest     = 1 << 20
	maxBundleBytes = 8 << 20
)

// ProxyFunc chooses the proxy of a request; nil is none. It has the form of
// [http.Transport]'s Proxy.
type ProxyFunc = func(*http.Request) (*url.URL, error)

// NewHTTPClient makes the client for all calls of a process: bounded times,
// bounded answers, no redirects, and connections that are kept, so that a
// session and a role cost one connection. proxy chooses a request's proxy, as
// http.ProxyFromEnvironment does (nil: none); caBundle ("" = the system's
// certificates) is a PEM file that is trusted instead, as in the AWS CLI.
func NewHTTPClient(caBundle string, proxy ProxyFunc) (*http.Client, error) {
	transport := &http.Transport{
		Proxy:                 proxy,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   tlsTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   2,
		ForceAttemptHTTP2:     true,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode == http.StatusOK {
				return nil
			}
			return proxyRefusal(answer.StatusCode)
		},
	}
	if caBundle != "" {
		pool, err := readBundle(caBundle)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{
		Transport: boundedTransport{transport},
		// The answers are secrets: they are taken from the endpoint that was
		// asked, or not at all.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

func readBundle(path string) (*x509.CertPool, error) {
	const remedy = "ca_bundle or AWS_CA_BUNDLE must name a PEM file with certificates"
	what := "could not read the CA bundle " + path
	pem, err := files.Read(path, maxBundleBytes, files.Steering)
	if err != nil {
		return nil, unreadable(err, what, remedy)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, unreadable(errors.New("it holds no certificate"), what, remedy)
	}
	return pool, nil
}

// unreadable is the error of a file that a setting names. Where others may
// have written it, what to do about that is the remedy.
func unreadable(err error, what, remedy string) error {
	var access *files.AccessError
	if errors.As(err, &access) {
		remedy = access.Remedy
	}
	return &profile.Error{Err: fault.New(fmt.Sprintf("%s: %v", what, innermost(err)), "", errors.Join(profile.ErrUnsupported, innermost(err))), Remedy: remedy}
}

// boundedTransport bounds what an answer may occupy, takes the request out of
// an error's answer, and sends requests from
// memory: the SDK closes a body as soon as the answer is there, and where
// that comes before net/http's own Close, net/http takes the second Close's
// io.EOF for a failed write and throws the connection away.
type boundedTransport struct{ next http.RoundTripper }

// RoundTrip is http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var data []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		data, err = io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
		_ = r.Body.Close()
		switch {
		case err != nil:
			return nil, err
		case len(data) > maxRequest:
			return nil, errors.New("the request is too long")
		}
		r = r.WithContext(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	}
	resp, err := t.next.RoundTrip(r)
	if resp != nil && resp.Body != nil {
		withoutEcho(resp, r, data)
		resp.Body = &boundedBody{body: resp.Body, left: maxResponse, empty: resp.StatusCode < 300 && r.Header.Get("Content-Type") == formType}
	}
	return resp, err
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t boundedTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// formType is that of a call to STS or IAM. These never answer with nothing,
// which the SDK would take for an answer without results.
const formType = "application/x-www-form-urlencoded"

var errEmpty = errors.New("the answer is empty")

var errTooLong = fmt.Errorf("the answer is longer than %d KiB", maxResponse>>10)

// boundedBody fails where io.LimitReader would pretend an early end, and where
// there is nothing.
type boundedBody struct {
	body  io.ReadCloser
	left  int64
	empty bool // nothing has come yet of what cannot be empty
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.empty = b.empty && n == 0; b.empty && err == io.EOF {
		err = errEmpty
	}
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }

package provider

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"time"

	"groat/provider/profile"
	"groat/vault/fault"
)

const (
	callbackPath   = "/oauth/callback" // AWS Sign-In takes no other
	browserTimeout = 10 * time.Minute
)

// errNoLoopback: no page could be had for the browser's answer.
var errNoLoopback = errors.New("could not serve a local page for the browser's answer")

// browserCode sends the person's browser to an address and waits for the
// authorization code that it brings back to a loopback page (RFC 6749, RFC
// 8252). address makes the link to begin with.
func (m *Minter) browserCode(ctx context.Context, req SignInRequest, address func(redirect, state string) (string, error)) (code, redirect string, err error) {
	state := randomWord()
	callback, err := m.SignIn.Callback(ctx, callbackPath, state)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", errNoLoopback, err)
	}
	defer callback.Close()
	if req.URL, err = address(callback.URL, state); err != nil {
		return "", "", err
	}
	req.Expires = m.now().Add(browserTimeout)
	waiting, cancel := context.WithTimeout(ctx, browserTimeout)
	defer cancel()
	if err := m.SignIn.Show(ctx, req); err != nil {
		return "", "", err
	}
	select {
	case a := <-callback.Answer:
		if code = a.Get("code"); code == "" {
			return "", "", denied(req, a.Get("error"))
		}
		return code, callback.URL, nil
	case <-waiting.Done():
	}
	if ctx.Err() != nil {
		return "", "", gaveUp(req, context.Cause(ctx))
	}
	return "", "", tooSlow(req)
}

// randomWord is a secret of at least 256 bits that a URL takes as it is.
func randomWord() string { return rand.Text() + rand.Text() }

// challengeOf is the PKCE challenge of a verifier (RFC 7636).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkSignInURL keeps anything but a web address from the browser's command line.
func checkSignInURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && (u.Scheme != "http" || isPlainRemote(s))) || u.Host == "" {
		return fault.New("the sign-in address does not begin with https://", "", profile.ErrUnsupported)
	}
	return nil
}

// sameState compares what came back with what was sent, in constant time.
func sameState(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

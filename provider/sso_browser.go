package provider

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"groat/provider/profile"
)

const (
	callbackPath   = "/oauth/callback"
	registeredURI  = "http://127.0.0.1" + callbackPath // AWS lets any port stand in it (RFC 8252 section 7.3)
	browserTimeout = 10 * time.Minute
)

// browserFlow signs in with a browser on this machine, which brings the
// authorization code back to a loopback port (RFC 6749 with PKCE, RFC 7636).
func (s *signOn) browserFlow(ctx context.Context) (ssoToken, error) {
	registered, err := s.register(ctx, registeredURI)
	if err != nil {
		return ssoToken{}, err
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		s.m.debugf("no loopback port for the browser's answer: %v", err)
		return s.deviceFlow(ctx)
	}
	state, verifier := rand.Text()+rand.Text(), rand.Text()+rand.Text()
	callback := newCallback(listener, state)
	defer callback.close()

	redirect := "http://" + listener.Addr().String() + callbackPath
	address, err := s.authorizeURL(ctx, registered, redirect, state, verifier)
	if err != nil {
		return ssoToken{}, err
	}
	waiting, cancel := context.WithTimeout(ctx, browserTimeout)
	defer cancel()
	if err := s.m.SignIn.Show(ctx, SignInRequest{Profile: s.profile, StartURL: s.sso.StartURL, URL: address, Expires: s.m.now().Add(browserTimeout)}); err != nil {
		return ssoToken{}, err
	}
	code, err := callback.wait(waiting)
	switch {
	case ctx.Err() != nil:
		return ssoToken{}, s.gaveUp(context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded):
		return ssoToken{}, signInTimeout(s.profile)
	case err != nil:
		return ssoToken{}, fmt.Errorf("profile %q: %w", s.profile, err)
	}
	t, err := s.createToken(ctx, registered, &ssooidc.CreateTokenInput{
		GrantType: aws.String(grantCode), Code: aws.String(code), CodeVerifier: aws.String(verifier), RedirectUri: aws.String(redirect),
	})
	return t, explainSSO(err)
}

// authorizeURL is where the browser begins.
func (s *signOn) authorizeURL(ctx context.Context, c ssoClient, redirect, state, verifier string) (string, error) {
	where, err := endpointFor(serviceSSOOIDC, s.sso.Region, s.o.Endpoints)
	if err != nil {
		return "", err
	}
	base := where.url
	if base == "" {
		e, err := ssooidc.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ssooidc.EndpointParameters{
			Region: aws.String(where.region), UseFIPS: aws.Bool(s.o.Endpoints.FIPS), UseDualStack: aws.Bool(s.o.Endpoints.DualStack),
		})
		if err != nil {
			return "", fmt.Errorf("no endpoint of IAM Identity Center in %s: %w", sanitizeText(s.sso.Region), err)
		}
		base = e.URI.String()
	}
	challenge := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"response_type":         {"code"},
		"client_id":             {c.ID},
		"redirect_uri":          {redirect},
		"state":                 {state},
		"code_challenge_method": {"S256"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"scopes":                {strings.Join(s.scopes(), ",")},
	}
	address := strings.TrimSuffix(base, "/") + "/authorize?" + query.Encode()
	return address, checkSignInURL(address)
}

// checkSignInURL keeps anything but a web address from the browser's command line.
func checkSignInURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && (u.Scheme != "http" || isPlainRemote(s))) || u.Host == "" {
		return fmt.Errorf("the sign-in address is not one of https (%w)", profile.ErrUnsupported)
	}
	return nil
}

// callback is the loopback server for the browser's one answer.
type callback struct {
	server *http.Server
	host   string
	state  string
	answer chan callbackAnswer
}

type callbackAnswer struct {
	code string
	err  error
}

func newCallback(l net.Listener, state string) *callback {
	c := &callback{host: l.Addr().String(), state: state, answer: make(chan callbackAnswer, 1)}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = c.server.Serve(l) }()
	return c
}

// close lets the page that is being answered be finished.
func (c *callback) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.server.Shutdown(ctx)
	_ = c.server.Close()
}

func (c *callback) wait(ctx context.Context) (string, error) {
	select {
	case a := <-c.answer:
		return a.code, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// ServeHTTP takes the first answer that bears the state; any other request is
// refused and changes nothing.
func (c *callback) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if r.Method != http.MethodGet || r.URL.Path != callbackPath || r.Host != c.host ||
		subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(c.state)) != 1 {
		http.Error(w, "not here", http.StatusNotFound)
		return
	}
	a := callbackAnswer{code: query.Get("code")}
	page := "You are signed in. This window can be closed.\n"
	if a.code == "" {
		a.err = fmt.Errorf("the sign-in was denied in the browser (%s): %w", sanitizeText(query.Get("error")), ErrCancelled)
		page = "The sign-in was denied. This window can be closed.\n"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_, _ = io.WriteString(w, page)
	select {
	case c.answer <- a:
	default: // answered already
	}
}

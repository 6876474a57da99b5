package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
)

const (
	startURL       = "https://acme.awsapps.com/start"
	registerClient = "sso-oidc:RegisterClient"
	startDevice    = "sso-oidc:StartDeviceAuthorization"
	createToken    = "sso-oidc:CreateToken"
	getRole        = "sso:GetRoleCredentials"
)

// signIn is a person with a browser.
type signIn struct {
	mu       sync.Mutex
	local    bool
	err      error // nobody can be reached
	pageless bool  // no page takes the browser's answer
	requests []provider.SignInRequest
	show     func(provider.SignInRequest) error
}

func (s *signIn) LocalBrowser(provider.SignInRequest) (bool, error) { return s.local, s.err }

// Callback is a page for whoever visits it.
func (s *signIn) Callback(_ context.Context, path, state string) (*provider.Callback, error) {
	if s.pageless {
		return nil, errors.New("no port")
	}
	answer := make(chan url.Values, 1)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if r.URL.Path == path && query.Get("state") == state {
			answer <- query
		}
	}))
	return &provider.Callback{URL: page.URL + path, Answer: answer, Close: page.Close}, nil
}

func (s *signIn) Paste(_ context.Context, r provider.SignInRequest) (string, error) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.show != nil {
		if err := s.show(r); err != nil {
			return "", err
		}
	}
	return visit(r.URL), nil
}

// visit is a browser that follows where it is sent; it gives what the last
// page shows.
func visit(address string) string {
	resp, err := http.Get(address)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func (s *signIn) Show(_ context.Context, r provider.SignInRequest) error {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.show != nil {
		return s.show(r)
	}
	return nil
}

// ssoWorld has a profile "dev" of an sso-session, a legacy one "old", and a
// role "next" over dev.
func ssoWorld(t *testing.T, local bool) (*world, *signIn, *memoryStore) {
	w := newWorld(t).role("next", ststest.RoleOptions{})
	w.srv.AddSSO(startURL, ststest.Assignment{Account: account, Role: "Dev"}, ststest.Assignment{Account: account, Role: "Ops"})
	w.srv.SetSSOLifetimes(8*time.Hour, 0, time.Nanosecond)
	sso := "sso_account_id = " + account + "\nsso_role_name = "
	w.config = "[sso-session acme]\nsso_start_url = " + startURL + "\nsso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n" +
		"[profile dev]\nsso_session = acme\n" + sso + "Dev\n" +
		"[profile ops]\nsso_session = acme\n" + sso + "Ops\n" +
		"[profile none]\nsso_session = acme\n" + sso + "None\n" +
		"[profile old]\nsso_start_url = " + startURL + "\nsso_region = eu-west-1\n" + sso + "Dev\n" +
		"[profile next]\nsource_profile = dev\nrole_arn = " + roleARN("next") + "\n"
	return w, &signIn{local: local}, &memoryStore{items: map[string][]byte{}}
}

func (w *world) signedOn(name string, s provider.SignIn, tokens *memoryStore) error {
	w.t.Helper()
	m := w.newMinter()
	m.SignIn, m.Tokens = s, tokens
	m.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	_, err := m.Credentials(w.t.Context(), w.plan(name, provider.Options{}))
	return err
}

func (w *world) mustSignOn(name string, s provider.SignIn, tokens *memoryStore) {
	w.t.Helper()
	if err := w.signedOn(name, s, tokens); err != nil {
		w.t.Fatalf("%s: %v", name, err)
	}
}

func TestDeviceSignIn(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	polls := 0
	w.srv.Hook(func(c ststest.Call) {
		// The person takes a while.
		if c.Name() == createToken {
			if polls++; polls == 3 {
				w.srv.DecideSSO(s.requests[0].UserCode, true)
			}
		}
	})
	w.mustSignOn("next", s, tokens)
	w.wantCalls(registerClient, startDevice, createToken+" AuthorizationPendingException", createToken+" AuthorizationPendingException", createToken, getRole, assumeRole)
	if r := s.requests[0]; r.Profile != "next" || r.As != startURL || !strings.Contains(r.URL, "user_code="+r.UserCode) || r.Expires.Before(time.Now()) {
		t.Errorf("request %+v", r)
	}
	// Another role of the same Identity Center: no second sign-in.
	w.mustSignOn("ops", s, tokens)
	w.wantCalls(getRole)
	// Everything again: nothing at all.
	w.mustSignOn("next", s, tokens)
	w.mustSignOn("dev", s, tokens)
	w.wantCalls()
	if len(s.requests) != 1 {
		t.Errorf("%d sign-ins, want 1", len(s.requests))
	}
	for _, data := range w.store.items {
		if strings.Contains(string(data), "aoaA") {
			t.Error("the access token lies among the sessions")
		}
	}
}

func TestSlowDown(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.Inject(ststest.Fault{Operation: createToken, Times: 1, Status: 400, Code: "SlowDownException"})
	w.srv.AutoApproveSSO(true)
	m := w.newMinter()
	m.SignIn, m.Tokens = s, tokens
	var waits []time.Duration
	m.Wait = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	if _, err := m.Credentials(t.Context(), w.plan("dev", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	if len(waits) != 2 || waits[1] != waits[0]+5*time.Second {
		t.Errorf("waits %v", waits)
	}
}

func TestSignInIsRenewedWithoutAsking(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.AutoApproveSSO(true)
	w.srv.SetSSOLifetimes(20*time.Minute, 0, time.Nanosecond)
	w.mustSignOn("dev", s, tokens)
	w.srv.ResetCalls()

	w.later = 21 * time.Minute // the token has expired
	clear(w.store.items)
	w.mustSignOn("dev", s, tokens)
	w.wantCalls(createToken, getRole)

	// Revoked: a person has to sign in again.
	w.srv.ExpireSSOTokens(true)
	w.later = 42 * time.Minute
	clear(w.store.items)
	w.mustSignOn("dev", s, tokens)
	w.wantCalls(createToken+" InvalidGrantException", registerClient, startDevice, createToken, getRole)
	if len(s.requests) != 2 {
		t.Errorf("%d sign-ins, want 2", len(s.requests))
	}
}

func TestRevokedTokenIsReplaced(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.AutoApproveSSO(true)
	w.mustSignOn("dev", s, tokens)
	w.srv.ResetCalls()
	w.srv.ExpireSSOTokens(true) // and nobody tells us
	w.mustSignOn("ops", s, tokens)
	w.wantCalls(getRole+" UnauthorizedException", createToken+" InvalidGrantException", registerClient, startDevice, createToken, getRole)
}

// Where a person would have to sign in, a session is served for longer, as
// where a code would be needed.
func TestSessionOfAnEndedSignInIsServedToItsEnd(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.AutoApproveSSO(true)
	w.mustSignOn("dev", s, tokens)
	w.srv.ResetCalls()
	states := func() (cached, asks bool) {
		m := w.newMinter()
		m.Tokens = tokens
		state := m.Cached(t.Context(), w.plan("dev", provider.Options{}))[0]
		return state.Cached, state.Asks
	}
	s.err = provider.ErrNoCode
	w.later = 50 * time.Minute // 10 min left, and the token is still good
	w.mustSignOn("dev", s, tokens)
	w.wantCalls(getRole)
	clear(tokens.items) // signed out
	w.mustSignOn("dev", s, tokens)
	w.wantCalls()
	if cached, asks := states(); !cached || asks {
		t.Errorf("with ten minutes left: cached %v, asks %v", cached, asks)
	}
	w.later = 58 * time.Minute
	if err := w.signedOn("dev", s, tokens); !errors.Is(err, provider.ErrNoCode) {
		t.Errorf("with two minutes left: %v", err)
	}
	if cached, asks := states(); cached || !asks {
		t.Errorf("with two minutes left: cached %v, asks %v", cached, asks)
	}
}

// A token that AWS ended before its time, but whose sign-in is still good,
// costs nobody a sign-in.
func TestRefusedTokenIsRenewedWithoutAsking(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.AutoApproveSSO(true)
	w.mustSignOn("dev", s, tokens)
	w.srv.ResetCalls()
	w.srv.ExpireSSOTokens(false)
	w.mustSignOn("ops", s, tokens)
	w.wantCalls(getRole+" UnauthorizedException", createToken, getRole)
	if len(s.requests) != 1 {
		t.Errorf("%d sign-ins, want 1", len(s.requests))
	}
}

func TestBrowserSignIn(t *testing.T) {
	w, s, tokens := ssoWorld(t, true)
	s.show = func(r provider.SignInRequest) error { go visit(r.URL); return nil }
	w.mustSignOn("dev", s, tokens)
	w.wantCalls(registerClient, "sso-oidc:Authorize", createToken, getRole)
	if r := s.requests[0]; r.UserCode != "" || strings.Contains(r.URL, "aoaA") {
		t.Errorf("request %+v", r)
	}

	// A legacy profile has no scopes, and signs in by a device code.
	clear(w.store.items)
	clear(tokens.items)
	w.srv.AutoApproveSSO(true)
	s.show = nil
	w.mustSignOn("old", s, tokens)
	w.wantCalls(registerClient, startDevice, createToken, getRole)
}

func TestDeniedInTheBrowser(t *testing.T) {
	w, s, tokens := ssoWorld(t, true)
	s.show = func(r provider.SignInRequest) error {
		u, err := url.Parse(r.URL)
		go visit(u.Query().Get("redirect_uri") + "?error=access_denied&state=" + u.Query().Get("state"))
		return err
	}
	wantError(t, w.signedOn("dev", s, tokens), provider.ErrCancelled, "denied in the browser", "access_denied")
}

// Where there is no page for the browser's answer, a code is confirmed instead.
func TestNoPageForTheBrowser(t *testing.T) {
	w, s, tokens := ssoWorld(t, true)
	s.pageless = true
	w.srv.AutoApproveSSO(true)
	w.mustSignOn("dev", s, tokens)
	w.wantCalls(registerClient, registerClient, startDevice, createToken, getRole)
}

func TestSignInRefusals(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	wantError(t, w.signedOn("dev", nil, tokens), provider.ErrNoCode, "sign-in", "groat signin dev")
	s.err = provider.ErrNoCode
	wantError(t, w.signedOn("dev", s, tokens), provider.ErrNoCode)
	s.err = nil
	w.wantCalls()

	s.show = func(r provider.SignInRequest) error { w.srv.DecideSSO(r.UserCode, false); return nil }
	err := w.signedOn("dev", s, tokens)
	wantError(t, err, provider.ErrCancelled, "denied in the browser")
	if _, final := isFinal(err); !final {
		t.Error("those who wait would each ask anew")
	}

	s.show = func(provider.SignInRequest) error { return provider.ErrCancelled }
	wantError(t, w.signedOn("dev", s, tokens), provider.ErrCancelled)

	s.show = nil
	w.srv.AutoApproveSSO(true)
	wantError(t, w.signedOn("none", s, tokens), provider.ErrRefused, "ForbiddenException", "sso_role_name")

	w.config = strings.ReplaceAll(w.config, startURL, "https://other.awsapps.com/start")
	wantError(t, w.signedOn("dev", s, tokens), provider.ErrRefused, "InvalidRequestException", "sso_start_url")
}

func TestNobodySignsInInTime(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	m := w.newMinter()
	m.SignIn, m.Tokens = s, tokens
	m.Wait = func(context.Context, time.Duration) error { w.later += time.Minute; return nil }
	_, err := m.Credentials(t.Context(), w.plan("dev", provider.Options{}))
	wantError(t, err, provider.ErrNoCode, "nobody signed in in time")

	gone := errors.New("gone")
	m.Wait = func(context.Context, time.Duration) error { return gone }
	_, err = m.Credentials(t.Context(), w.plan("dev", provider.Options{}))
	wantError(t, err, provider.ErrNoCode, "the wait for it ended")
	if !errors.Is(err, gone) {
		t.Error("the cause is lost")
	}
}

// Ctrl-C while a sign-in is waited for declines it for all; being told to
// stop does not.
func TestInterruptedSignIn(t *testing.T) {
	for _, cause := range []error{fmt.Errorf("Ctrl-C: %w", provider.ErrCancelled), errors.New("told to stop")} {
		w, s, tokens := ssoWorld(t, false)
		m := w.newMinter()
		ctx, cancel := context.WithCancelCause(t.Context())
		m.SignIn, m.Tokens = s, tokens
		m.Wait = func(context.Context, time.Duration) error {
			cancel(cause)
			return context.Cause(ctx)
		}
		_, err := m.Credentials(ctx, w.plan("dev", provider.Options{}))
		wantError(t, err, cause)
		if _, final := isFinal(err); final != errors.Is(cause, provider.ErrCancelled) {
			t.Errorf("%v: final %v", cause, final)
		}
	}
}

// A sign-in is given up when whoever runs groat would give up groat.
func TestSignInEndsWithTheTimeForAsking(t *testing.T) {
	for _, local := range []bool{false, true} {
		w, s, tokens := ssoWorld(t, local)
		m := w.newMinter()
		m.SignIn, m.Tokens = s, tokens
		m.AskUntil = time.Now().Add(200 * time.Millisecond)
		w.srv.SetSSOLifetimes(0, 0, time.Second)
		_, err := m.Credentials(t.Context(), w.plan("dev", provider.Options{}))
		wantError(t, err, provider.ErrNoCode, "the wait for it ended", "groat signin dev")
		if strings.Contains(err.Error(), "token code") {
			t.Errorf("there was no talk of codes: %v", err)
		}
	}
}

func TestOneSignInForManyProcesses(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.AutoApproveSSO(true)
	var wg sync.WaitGroup
	for i := range 12 {
		m, p := w.newMinter(), w.plan([]string{"dev", "ops", "next"}[i%3], provider.Options{})
		m.SignIn, m.Tokens = s, tokens
		m.Wait = func(context.Context, time.Duration) error { return nil }
		wg.Go(func() {
			if _, err := m.Credentials(context.Background(), p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(s.requests); n != 1 {
		t.Errorf("%d sign-ins, want 1", n)
	}
	if n := w.srv.Count(getRole); n != 2 {
		t.Errorf("%d times role credentials, want 2", n)
	}
}

func TestSignInThatCannotBeStored(t *testing.T) {
	w, s, tokens := ssoWorld(t, false)
	w.srv.AutoApproveSSO(true)
	tokens.putErr = errors.New("disk full")
	w.mustSignOn("dev", s, tokens)
	if !strings.Contains(strings.Join(w.warned, "\n"), "sign-in could not be stored") {
		t.Errorf("warnings %q", w.warned)
	}
	w.mustSignOn("ops", s, &memoryStore{items: map[string][]byte{}})
	if len(s.requests) != 2 {
		t.Errorf("%d sign-ins, want 2", len(s.requests))
	}
}

// Signing out ends the session at IAM Identity Center too, and whatever it
// answers, nothing is kept here.
func TestSignOutEndsTheSession(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*world, *provider.Minter, *profile.Source)
		calls  string
		warned string
	}{
		"live":         {func(*world, *provider.Minter, *profile.Source) {}, "sso:Logout", ""},
		"over":         {func(w *world, _ *provider.Minter, _ *profile.Source) { w.srv.ExpireSSOTokens(true) }, "sso:Logout UnauthorizedException", ""},
		"out of reach": {func(w *world, _ *provider.Minter, _ *profile.Source) { w.srv.Close() }, "", "could not be ended at IAM Identity Center"},
		"no bundle":    {func(_ *world, m *provider.Minter, s *profile.Source) { m.HTTP, s.Endpoints.CABundle = nil, "/none" }, "", "could not read the CA bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			w, s, tokens := ssoWorld(t, false)
			w.srv.AutoApproveSSO(true)
			w.mustSignOn("dev", s, tokens)
			source := w.plan("dev", provider.Options{}).Source
			m := w.newMinter()
			m.Tokens = tokens
			w.srv.ResetCalls()
			c.before(w, m, &source)
			for _, there := range []bool{true, false} {
				if got, err := m.SignOut(t.Context(), provider.SignInName(&source), &source); got != there || err != nil {
					t.Fatalf("%v, %v", got, err)
				}
			}
			if got := strings.Join(w.srv.Names(), ", "); got != c.calls {
				t.Errorf("calls %s", got)
			}
			if said := strings.Join(w.warned, "\n"); len(tokens.items) != 0 || (c.warned == "") != (said == "") || !strings.Contains(said, c.warned) {
				t.Errorf("%d tokens are kept, warned %q", len(tokens.items), said)
			}
		})
	}
}

// An organisation's own address leads to the start URL that AWS knows.
func TestVanityStartURL(t *testing.T) {
	for name, c := range map[string]struct {
		leads string // "": nowhere
		head  int    // the answer to HEAD, where it is none
		local bool
		err   error
		says  string
	}{
		"browser":      {leads: startURL + "/#/", local: true},
		"device":       {leads: startURL},
		"GET only":     {leads: startURL, head: http.StatusMethodNotAllowed},
		"own region":   {leads: "https://ssoins-1.portal.eu-west-1.app.aws/start?x"},
		"own name":     {leads: "https://acme-prod-eu.awsapps.com/start"},
		"other region": {leads: "https://ssoins-1.portal.us-east-1.app.aws", err: profile.ErrUnsupported, says: "write sso_region = us-east-1"},
		"elsewhere":    {leads: "https://idp.example/login", err: provider.ErrRefused, says: "sso_start_url"},
		"plain http":   {leads: strings.Replace(startURL, "https", "http", 1), err: provider.ErrRefused, says: "sso_start_url"},
		"nowhere":      {err: provider.ErrRefused, says: "sso_start_url"},
	} {
		t.Run(name, func(t *testing.T) {
			w, s, tokens := ssoWorld(t, c.local)
			if c.err == nil {
				w.srv.AddSSO(strings.TrimRight(c.leads, "?x/#"), ststest.Assignment{Account: account, Role: "Dev"})
			}
			w.srv.AutoApproveSSO(true)
			if c.local {
				s.show = func(r provider.SignInRequest) error { go visit(r.URL); return nil }
			}
			vanity := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				switch {
				case c.head != 0 && r.Method == http.MethodHead:
					rw.WriteHeader(c.head)
				case c.leads != "":
					http.Redirect(rw, r, c.leads, http.StatusFound)
				}
			}))
			defer vanity.Close()
			w.config = strings.ReplaceAll(w.config, startURL, vanity.URL)
			if err := w.signedOn("dev", s, tokens); c.err != nil {
				wantError(t, err, c.err, c.says)
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

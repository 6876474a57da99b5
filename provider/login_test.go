package provider_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
)

const (
	loginToken     = "signin:CreateOAuth2Token"
	loginAuthorize = "signin:Authorize"
	loginConfirm   = "signin:Confirmation"
)

// loginWorld has a profile "me" that signs in as alice, "again" that is the
// same, and a role "next" over it; a browser on this machine signs in as alice.
func loginWorld(t *testing.T, local bool) (*world, *signIn, *memoryStore) {
	w := newWorld(t).role("next", ststest.RoleOptions{})
	w.srv.SignInAs(w.user.ARN)
	session := "login_session = " + w.user.ARN + "\nregion = eu-west-1\n"
	w.config = "[profile me]\n" + session + "[profile again]\n" + session + "[profile next]\nsource_profile = me\nrole_arn = " + roleARN("next") + "\n"
	s := &signIn{local: local}
	if local {
		s.show = func(r provider.SignInRequest) error { go visit(r.URL); return nil }
	}
	return w, s, &memoryStore{items: map[string][]byte{}}
}

// pass lets time pass everywhere.
func (w *world) pass(d time.Duration) {
	w.later += d
	w.srv.SetSkew(w.later)
}

func TestLoginInTheBrowser(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	w.mustSignOn("next", s, tokens)
	w.wantCalls(loginAuthorize, loginToken, assumeRole)
	if r := s.requests[0]; r.Profile != "next" || r.As != w.user.ARN || r.Service != "AWS" || r.Reason != "" {
		t.Errorf("request %+v", r)
	}
	w.mustSignOn("again", s, tokens) // who shares the sign-in shares its credentials
	w.wantCalls()
	// Renewed for 12 hours without a person.
	for range 3 {
		w.pass(11 * time.Minute)
		w.mustSignOn("me", s, tokens)
		w.wantCalls(loginToken)
	}
	w.pass(12 * time.Hour)
	w.mustSignOn("me", s, tokens)
	w.wantCalls(loginToken+" AccessDeniedException", loginAuthorize, loginToken)
	if r := s.requests[1]; !strings.Contains(r.Reason, "12 hours") || len(s.requests) != 2 {
		t.Errorf("requests %+v", s.requests)
	}
	for _, data := range w.store.items {
		if strings.Contains(string(data), "refresh_token") {
			t.Error("a refresh token is among the sessions")
		}
	}
}

func TestLoginCredentialsAreTheIdentitys(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	m := w.newMinter()
	m.SignIn, m.Tokens = s, tokens
	plan := w.plan("me", provider.Options{})
	creds, err := m.Credentials(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	left := time.Until(creds.Expiration)
	if creds.AccountID != account || left > 15*time.Minute || left < 14*time.Minute {
		t.Errorf("account %s, %v left", creds.AccountID, left)
	}
	id, err := provider.CallerIdentity(t.Context(), provider.CallOptions{Endpoints: plan.Source.Endpoints, HTTP: m.HTTP}, creds)
	if err != nil || id.ARN != w.user.ARN {
		t.Errorf("%v, %v", id, err)
	}
}

func TestLoginByPasting(t *testing.T) {
	w, s, tokens := loginWorld(t, false)
	w.mustSignOn("me", s, tokens)
	w.wantCalls(loginAuthorize, loginConfirm, loginToken)
	w.pass(11 * time.Minute)
	w.mustSignOn("me", s, tokens)
	w.wantCalls(loginToken)
}

// pasting is a person who pastes something of their own.
type pasting struct {
	*signIn
	text func(provider.SignInRequest) string
}

func (p pasting) Paste(_ context.Context, r provider.SignInRequest) (string, error) {
	return p.text(r), nil
}

func TestPastedCodesAreChecked(t *testing.T) {
	w, s, tokens := loginWorld(t, false)
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for what, text := range map[string]func(provider.SignInRequest) string{
		"another sign-in's": func(provider.SignInRequest) string { return encode("state=other&code=x") },
		"no state":          func(provider.SignInRequest) string { return encode("code=x") },
		"not base64":        func(provider.SignInRequest) string { return "%%" },
		"nothing":           func(provider.SignInRequest) string { return "" },
	} {
		err := w.signedOn("me", pasting{s, text}, tokens)
		wantError(t, err, provider.ErrNoCode, "groat signin me")
		if w.srv.Count(loginToken) != 0 || len(tokens.items) != 0 {
			t.Errorf("%s: was sent, or something was stored", what)
		}
	}
	// As people paste: wrapped, without padding, in the other alphabet.
	err := w.signedOn("me", pasting{s, func(r provider.SignInRequest) string {
		text := strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(visit(r.URL)), "=")
		return " " + text[:20] + "\n" + text[20:] + "\n"
	}}, tokens)
	if err != nil {
		t.Error(err)
	}
}

func TestLoginAsSomebodyElse(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	w.mustSignOn("me", s, tokens)
	before := string(tokens.items[provider.SignInName(&w.plan("me", provider.Options{}).Source)])
	w.srv.SignInAs(w.srv.AddUser(account, "mallory").ARN)
	m := w.newMinter()
	m.SignIn, m.Tokens = s, tokens
	err := m.SignInTo(t.Context(), w.plan("me", provider.Options{}))
	wantError(t, err, provider.ErrIdentity, w.user.ARN, "user/mallory", "nothing was changed", "groat signin me")
	if after := string(tokens.items[provider.SignInName(&w.plan("me", provider.Options{}).Source)]); after != before || len(tokens.items) != 1 {
		t.Error("the stored sign-in has changed")
	}
}

func TestLoginErrorsInWords(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(*world)
		class error
		words []string
	}{
		{"permissions", func(w *world) { w.srv.ForbidSignIn(true) }, provider.ErrRefused, []string{"INSUFFICIENT_PERMISSIONS", "SignInLocalDevelopmentAccess", "groat policy allow-signin"}},
		{"the code is too late", func(w *world) {
			w.srv.Hook(func(c ststest.Call) {
				if c.Name() == loginToken {
					w.srv.SetSkew(11 * time.Minute)
				}
			})
		}, provider.ErrRefused, nil},
		{"denied", func(w *world) { w.srv.DeclineSignIn() }, provider.ErrCancelled, []string{"denied in the browser", "access_denied"}},
		{"overloaded", func(w *world) { w.srv.Inject(ststest.Fault{Operation: loginToken, Status: 429}) }, provider.ErrUnreachable, []string{"try again in a minute"}},
		{"not AWS", func(w *world) { w.srv.Inject(ststest.Fault{Operation: loginToken, Kind: ststest.FaultBadXML}) }, provider.ErrUnreachable, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, s, tokens := loginWorld(t, true)
			c.do(w)
			err := w.signedOn("me", s, tokens)
			wantError(t, err, c.class, c.words...)
			if len(tokens.items) != 0 {
				t.Error("something was stored")
			}
		})
	}
}

// A sign-in that AWS ended says why, once to AWS and then from what is kept.
func TestEndedLoginsSayWhy(t *testing.T) {
	for _, c := range []struct {
		name, why string
		do        func(*world, *memoryStore)
	}{
		{"password changed", "password or credentials were changed", func(w *world, _ *memoryStore) { w.srv.ChangePassword(true) }},
		{"over", "12 hours", func(w *world, _ *memoryStore) { w.pass(12 * time.Hour) }},
		{"an answer was lost", "answer to the last renewal was lost", func(w *world, _ *memoryStore) {
			w.srv.Inject(ststest.Fault{Operation: loginToken, Kind: ststest.FaultDrop, Times: 1})
		}},
		{"damaged", "damaged", func(_ *world, tokens *memoryStore) {
			for name, data := range tokens.items {
				tokens.items[name] = []byte(strings.Replace(string(data), `"key":"`, `"key":"AAAA`, 1))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, s, tokens := loginWorld(t, true)
			w.mustSignOn("me", s, tokens)
			w.pass(16 * time.Minute)
			c.do(w, tokens)
			wantError(t, w.signedOn("me", nil, tokens), provider.ErrNoCode, c.why, "groat signin me")
			w.srv.ResetCalls()
			wantError(t, w.signedOn("next", nil, tokens), provider.ErrNoCode, c.why, "groat signin next")
			w.wantCalls()
			w.mustSignOn("me", s, tokens)
			if r := s.requests[len(s.requests)-1]; !strings.Contains(r.Reason, c.why) {
				t.Errorf("request %+v", r)
			}
		})
	}
}

// Where the next refresh token could not be kept, this one is not spent.
func TestLoginIsNotRenewedWhereItCannotBeKept(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	w.mustSignOn("me", s, tokens)
	w.pass(16 * time.Minute)
	w.srv.ResetCalls()
	tokens.putErr = errors.New("the disk is full")
	if err := w.signedOn("me", s, tokens); !errors.Is(err, tokens.putErr) || !strings.Contains(err.Error(), "not renewed") {
		t.Errorf("%v", err)
	}
	w.wantCalls()
	tokens.putErr = nil
	w.mustSignOn("me", s, tokens)
	w.wantCalls(loginToken)
}

func TestLoginSurvivesANetworkThatFails(t *testing.T) {
	for _, f := range []ststest.Fault{{Kind: ststest.FaultReset, Times: 1}, {Status: 500, Times: 2}, {Status: 429, Times: 1}, {Kind: ststest.FaultEmpty, Times: 1}} {
		w, s, tokens := loginWorld(t, true)
		w.mustSignOn("me", s, tokens)
		w.pass(16 * time.Minute)
		f.Operation = loginToken
		w.srv.Inject(f)
		w.mustSignOn("me", nil, tokens)
	}
}

func TestNoCacheRenewsByTheRefreshToken(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	w.mustSignOn("me", s, tokens)
	w.srv.ResetCalls()
	for range 2 {
		m := w.newMinter()
		m.Tokens, m.Cache.Disabled = tokens, true
		if _, err := m.Credentials(t.Context(), w.plan("me", provider.Options{})); err != nil {
			t.Fatal(err)
		}
	}
	w.wantCalls(loginToken, loginToken)
}

// However many processes find an expired session: one refresh, and an answer
// for each.
func TestCrowdRenewsALoginOnce(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	w.mustSignOn("me", s, tokens)
	w.pass(16 * time.Minute)
	w.srv.ResetCalls()
	plans := []*provider.Plan{w.plan("me", provider.Options{}), w.plan("again", provider.Options{})}
	var group sync.WaitGroup
	errs := make(chan error, 100)
	for i := range cap(errs) {
		m := w.newMinter()
		m.Tokens = tokens
		group.Go(func() {
			_, err := m.Credentials(t.Context(), plans[i%2])
			errs <- err
		})
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	w.wantCalls(loginToken)
}

func TestLoginStates(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	state := func() provider.StepState {
		m := w.newMinter()
		m.Tokens = tokens
		return m.Cached(t.Context(), w.plan("me", provider.Options{}))[0]
	}
	if st := state(); !st.Asks || st.Cached || !st.Cacheable {
		t.Errorf("before: %+v", st)
	}
	w.mustSignOn("me", s, tokens)
	if st := state(); st.Asks || !st.Cached {
		t.Errorf("signed in: %+v", st)
	}
	w.pass(20 * time.Minute)
	if st := state(); st.Asks || st.Cached {
		t.Errorf("expired: %+v", st)
	}
	w.pass(12 * time.Hour)
	if st := state(); !st.Asks {
		t.Errorf("over: %+v", st)
	}
}

// What was issued at one endpoint is never sent to another, nor to anybody in
// clear.
func TestLoginTokensStayWhereTheyWereIssued(t *testing.T) {
	w, s, tokens := loginWorld(t, true)
	w.mustSignOn("me", s, tokens)
	w.pass(16 * time.Minute)
	other := ststest.Start(t, ststest.Options{})
	w.env["AWS_ENDPOINT_URL_SIGNIN"] = other.URL
	wantError(t, w.signedOn("me", nil, tokens), provider.ErrNoCode, "needs a sign-in")
	if n := other.Count(""); n != 0 {
		t.Errorf("%d calls reached another endpoint", n)
	}
	for _, plain := range []string{"http://signin.example", "http://169.254.169.254"} {
		w.env["AWS_ENDPOINT_URL_SIGNIN"] = plain
		wantError(t, w.signedOn("me", s, tokens), profile.ErrUnsupported, "not encrypted")
	}
}

func TestLoginEndpoints(t *testing.T) {
	const arn = "login_session = arn:%s:iam::" + account + ":user/alice\n"
	for _, c := range []struct{ lines, env, want string }{
		{"region = eu-west-1\n" + fmt.Sprintf(arn, "aws"), "", "https://eu-west-1.signin.aws.amazon.com/v1/authorize"},
		{fmt.Sprintf(arn, "aws"), "", "https://us-east-1.signin.aws.amazon.com/v1/authorize"},
		{fmt.Sprintf(arn, "aws-us-gov"), "", "https://us-gov-west-1.signin.amazonaws-us-gov.com/v1/authorize"},
		{fmt.Sprintf(arn, "aws-cn"), "", "https://cn-northwest-1.signin.amazonaws.cn/v1/authorize"},
		{"region = eusc-de-east-1\n" + fmt.Sprintf(arn, "aws-eusc"), "", "https://eusc-de-east-1.signin.amazonaws-eusc.eu/v1/authorize"},
		{"region = us-iso-east-1\n" + fmt.Sprintf(arn, "aws-iso"), "", "https://us-iso-east-1.signin.c2shome.ic.gov/v1/authorize"},
		{"region = us-isob-east-1\n" + fmt.Sprintf(arn, "aws-iso-b"), "", "https://us-isob-east-1.signin.sc2shome.sgov.gov/v1/authorize"},
		{"region = us-gov-west-1\nuse_fips_endpoint = true\n" + fmt.Sprintf(arn, "aws-us-gov"), "", "https://signin-fips.amazonaws-us-gov.com/v1/authorize"},
		{"region = us-gov-east-1\nuse_fips_endpoint = true\n" + fmt.Sprintf(arn, "aws-us-gov"), "", "https://us-gov-east-1.signin-fips.amazonaws-us-gov.com/v1/authorize"},
		{"region = us-east-2\nuse_fips_endpoint = true\n" + fmt.Sprintf(arn, "aws"), "", "https://signin-fips.us-east-2.amazonaws.com/v1/authorize"},
		{"region = us-east-2\nuse_dualstack_endpoint = true\n" + fmt.Sprintf(arn, "aws"), "", "https://signin.us-east-2.api.aws/v1/authorize"},
		{"region = us-east-2\nendpoint_url = https://proxy.example/\n" + fmt.Sprintf(arn, "aws"), "", "https://proxy.example/v1/authorize"},
		{"region = us-east-2\nservices = s\n" + fmt.Sprintf(arn, "aws") + "[services s]\nsignin =\n  endpoint_url = https://one.example\n", "", "https://one.example/v1/authorize"},
		{"region = us-east-2\n" + fmt.Sprintf(arn, "aws"), "https://env.example", "https://env.example/v1/authorize"},
	} {
		w, s, tokens := loginWorld(t, false)
		delete(w.env, "AWS_ENDPOINT_URL")
		w.env["AWS_ENDPOINT_URL_SIGNIN"] = c.env
		w.config = "[profile me]\n" + c.lines
		var asked string
		err := w.signedOn("me", pasting{s, func(r provider.SignInRequest) string { asked = r.URL; return "" }}, tokens)
		u, perr := url.Parse(asked)
		if !errors.Is(err, provider.ErrNoCode) || perr != nil || "https://"+u.Host+u.Path != c.want {
			t.Errorf("%s: %q, %v", c.lines, asked, err)
		}
		if redirect := u.Query().Get("redirect_uri"); redirect != strings.TrimSuffix(c.want, "authorize")+"sessions/confirmation" {
			t.Errorf("redirect %q", redirect)
		}
	}
}

// deadStore dies at its n-th operation, before or after the effect: from then
// on nothing this process does has one.
type deadStore struct {
	session.Store
	life *life
}

// life is what a process has left: operations on the store and calls.
type life struct {
	mu     sync.Mutex
	left   int
	after  bool // it dies once the last one has had its effect
	died   bool
	points int
}

var errDead = errors.New("killed")

func (l *life) step(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.died {
		return errDead
	}
	l.points++
	l.left--
	if l.left > 0 {
		return do()
	}
	l.died = l.left == 0
	if l.died && l.after {
		_ = do()
	}
	if l.died {
		return errDead
	}
	return do()
}

func (d deadStore) Get(ctx context.Context, name string) (data []byte, err error) {
	return data, d.life.step(func() error { data, err = d.Store.Get(ctx, name); return err })
}

func (d deadStore) Put(ctx context.Context, name string, data []byte) error {
	return d.life.step(func() error { return d.Store.Put(ctx, name, data) })
}

// RoundTrip dies before a call or after AWS has taken it.
func (l *life) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	err = l.step(func() error { resp, err = http.DefaultTransport.RoundTrip(r); return err })
	if err != nil && resp != nil {
		_ = resp.Body.Close()
		resp = nil
	}
	return resp, err
}

// Wherever a process dies that signs in or renews: the next one is signed in
// as the same identity, or a person is told to sign in; and then it works.
func TestLoginKillPoints(t *testing.T) {
	points, signedIn, told := 0, 0, 0
	for _, scenario := range []string{"sign-in", "pasted", "renewal", "renewal after a lost answer", "role", "crowd of two", "forced", "no cache", "after the end"} {
		for _, after := range []bool{false, true} {
			for n := 1; ; n++ {
				w, s, tokens := loginWorld(t, scenario != "pasted")
				name := "me"
				if scenario == "role" {
					name = "next"
				}
				if scenario != "sign-in" && scenario != "pasted" {
					w.mustSignOn(name, s, tokens)
					clear(w.store.items) // its credentials are over
				}
				switch scenario {
				case "renewal after a lost answer":
					w.srv.Inject(ststest.Fault{Operation: loginToken, Kind: ststest.FaultDrop, Times: 1})
				case "after the end":
					w.srv.ChangePassword(true)
				}
				l := &life{left: n, after: after}
				p := w.plan(name, provider.Options{})
				process := func() error {
					m := w.newMinter()
					m.HTTP = &http.Client{Transport: l}
					m.SignIn, m.Tokens = s, deadStore{tokens, l}
					m.Cache.Store = deadStore{w.store, l}
					m.Cache.Disabled = scenario == "no cache"
					m.Wait = func(context.Context, time.Duration) error { return nil }
					if scenario == "forced" {
						return m.SignInTo(t.Context(), p)
					}
					_, err := m.Credentials(t.Context(), p)
					return err
				}
				var group sync.WaitGroup
				if scenario == "crowd of two" {
					other := w.newMinter()
					other.Tokens = tokens
					group.Go(func() { _, _ = other.Credentials(t.Context(), p) })
				}
				err := process()
				group.Wait()
				if !l.died {
					if err != nil {
						t.Fatalf("%s: without a kill: %v", scenario, err)
					}
					break
				}
				points++
				// The next process, first with nobody there, then with a person.
				switch err := w.signedOn(name, nil, tokens); {
				case err == nil:
					signedIn++
				case errors.Is(err, provider.ErrNoCode):
					wantError(t, err, provider.ErrNoCode, "groat signin "+name)
					told++
				default:
					t.Fatalf("%s, point %d: %v", scenario, n, err)
				}
				w.mustSignOn(name, s, tokens)
				w.wantIdentity(name, tokens)
			}
		}
	}
	t.Logf("sign-in and refresh: %d kill points; the next process was signed in at %d, told to sign in at %d, never somebody else", points, signedIn, told)
	if points < 100 {
		t.Errorf("%d kill points", points)
	}
}

// wantIdentity asks AWS whose credentials these are.
func (w *world) wantIdentity(name string, tokens *memoryStore) {
	w.t.Helper()
	m := w.newMinter()
	m.Tokens = tokens
	p := w.plan(name, provider.Options{})
	creds, err := m.Credentials(w.t.Context(), p)
	if err != nil {
		w.t.Fatal(err)
	}
	want := w.user.ARN
	if name == "next" {
		want = "assumed-role/next/"
	}
	id, err := provider.CallerIdentity(w.t.Context(), provider.CallOptions{Endpoints: p.Source.Endpoints, HTTP: m.HTTP, Now: m.Now}, creds)
	if err != nil || !strings.Contains(id.ARN, want) {
		w.t.Errorf("%s is %v, %v", name, id, err)
	}
}

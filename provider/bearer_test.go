package provider_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
)

// What was issued at one endpoint stays there: a configuration that names
// another one gets neither the access token nor the client nor the refresh
// token, and is not served what came from the first.
func TestTokensStayWithTheirEndpoint(t *testing.T) {
	for _, key := range []string{"endpoint_url = ", "services = mine\n[services mine]\nsso =\n  endpoint_url = ", "services = mine\n[services mine]\nsso_oidc =\n  endpoint_url = "} {
		w, s, tokens := ssoWorld(t, false)
		w.env["AWS_ENDPOINT_URL_SSO"], w.env["AWS_ENDPOINT_URL_SSO_OIDC"] = w.srv.URL, w.srv.URL
		w.srv.Hook(func(c ststest.Call) {
			if c.Name() == createToken {
				w.srv.DecideSSO(s.requests[len(s.requests)-1].UserCode, true)
			}
		})
		w.mustSignOn("dev", s, tokens)

		delete(w.env, "AWS_ENDPOINT_URL")
		delete(w.env, "AWS_ENDPOINT_URL_SSO")
		delete(w.env, "AWS_ENDPOINT_URL_SSO_OIDC")
		var sent []string
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, r.URL.Path+" "+r.Header.Get("X-Amz-Sso_bearer_token")+string(body))
			panic(http.ErrAbortHandler)
		}))
		w.config = strings.Replace(w.config, "sso_role_name = Dev\n", "sso_role_name = Dev\n"+key+other.URL+"\n", 1)
		m := w.newMinter()
		m.Tokens = tokens // and nobody to sign in
		for _, clock := range []time.Duration{0, 7*time.Hour + 59*time.Minute} {
			w.later = clock
			if creds, err := m.Credentials(t.Context(), w.plan("dev", provider.Options{})); !errors.Is(err, provider.ErrNoCode) {
				t.Errorf("%s: %v, %v", key, creds, err)
			}
		}
		if len(sent) > 0 {
			t.Errorf("%s: the other endpoint was sent %q", key, sent)
		}
		other.Close()
	}
}

// Over http only this machine is called, whatever the service, and nobody is
// asked for anything before.
func TestUnencryptedEndpoints(t *testing.T) {
	for url, refused := range map[string]bool{
		"http://sts.example": true, "http://10.0.0.1:8080": true, "http://127.0.0.1.example": true, "http://x.localhost": true,
		"https://sts.example": false, "http://localhost:1": false, "http://127.0.0.1:1": false, "http://[::1]:1": false,
	} {
		for _, name := range []string{"admin", "dev", "ci"} {
			w, s, tokens := ssoWorld(t, true)
			webIdentity, file := webIdentityWorld(t)
			writeToken(t, file, "a.b.c.d")
			w.config += newWorld(t).config + strings.Replace(webIdentity.config, "next", "other", 1)
			w.env["AWS_ENDPOINT_URL"] = url
			m := w.newMinter()
			m.SignIn, m.Tokens, m.HTTP = s, tokens, &http.Client{Transport: &recorder{}}
			_, err := m.Credentials(t.Context(), w.plan(name, provider.Options{}))
			if got := errors.Is(err, profile.ErrUnsupported) && strings.Contains(err.Error(), "not encrypted"); got != refused {
				t.Errorf("%s, %s: refused %v, want %v: %v", name, url, got, refused, err)
			}
			if n := len(s.requests); refused && (n > 0 || len(w.prompt.requests) > 0) {
				t.Errorf("%s, %s: somebody was asked first", name, url)
			}
		}
		w := newWorld(t)
		signin := w.signin()
		signin.Endpoints = at(url)
		signin.HTTP = &http.Client{Transport: &recorder{}}
		if _, err := signin.Token(t.Context(), w.mustMint("default", provider.Options{})); strings.Contains(err.Error(), "not encrypted") != refused {
			t.Errorf("sign-in, %s: %v", url, err)
		}
	}
}

// AWS quotes values that it does not take, and other endpoints quote the whole
// request. Neither the error nor a lock file may.
func TestErrorsLoseWhatWasSent(t *testing.T) {
	const code = "987654"
	w := newWorld(t)
	var token string
	echo := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token = r.Header.Get("X-Amz-Security-Token")
		rw.Header().Set("X-Amzn-Requestid", code)
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(rw, "<ErrorResponse><Error><Code>ValidationError</Code><Message>Value '"+code+"' at 'tokenCode' and "+token+
			strings.ReplaceAll(string(body), "&", "&amp;")+"</Message></Error></ErrorResponse>")
	}))
	defer echo.Close()
	w.env["AWS_ENDPOINT_URL"] = echo.URL
	m := w.newMinter()
	m.MFACode = code
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrRefused, "ValidationError", "tokenCode", w.device.Serial[len(w.device.Serial)-5:])
	if strings.Contains(err.Error(), code) {
		t.Errorf("the code is in the error: %v", err)
	}
	w.locksWithout(code)

	ci, file := webIdentityWorld(t)
	ci.env["AWS_ENDPOINT_URL"] = echo.URL
	identity := "eyJh.bGci/Oi+J." + strings.Repeat("x", 40)
	writeToken(t, file, identity)
	_, err = ci.mint("ci", provider.Options{})
	wantError(t, err, provider.ErrRefused, "build-7")
	if strings.Contains(err.Error(), strings.Repeat("x", 40)) {
		t.Errorf("the identity token is in the error: %v", err)
	}

	session := newWorld(t)
	creds := session.mustMint("default", provider.Options{})
	_, err = provider.CallerIdentity(t.Context(), provider.CallOptions{Profile: "default", Endpoints: at(echo.URL)}, creds)
	wantError(t, err, provider.ErrRefused)
	if token != creds.SessionToken || strings.Contains(err.Error(), token) {
		t.Errorf("the session token is in the error: %v", err)
	}
}

// locksWithout looks for a text in every lock file.
func (w *world) locksWithout(text string) {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.minter.Cache.Flight.Dir, "*.lock"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no lock files (%v)", err)
	}
	for _, path := range files {
		if strings.Contains(readFile(w.t, path), text) {
			w.t.Errorf("%s holds %q", path, text)
		}
	}
}

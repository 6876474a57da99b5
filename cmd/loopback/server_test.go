package loopback

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/session"
)

var testExpiration = time.Date(2031, 2, 3, 3, 5, 6, 0, time.UTC)

var testCredentials = session.Credentials{
	AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "se/cr+et==", SessionToken: "to/ken+=", Expiration: testExpiration, AccountID: "123456789012",
}

func staticSource(context.Context) (session.Credentials, error) { return testCredentials, nil }

func serve(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func startContainerServer(t *testing.T, source Source) (addr, token string) {
	t.Helper()
	token = NewToken()
	return serve(t, Options{AnyUser: true, Handler: Container(token, source)}).Addr, token
}

// ask sends one request, as raw as the case wants it.
func ask(t *testing.T, method, url string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestContainerServer(t *testing.T) {
	addr, token := startContainerServer(t, staticSource)
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host != "127.0.0.1" || port == "0" {
		t.Fatalf("listens on %q", addr)
	}
	authorized := func(r *http.Request) { r.Header.Set("Authorization", token) }
	for _, tt := range []struct {
		name, method, path string
		change             func(*http.Request)
		status             int
	}{
		{"right", "GET", ContainerPath, authorized, 200},
		{"no token", "GET", ContainerPath, func(*http.Request) {}, 403},
		{"wrong token", "GET", ContainerPath, func(r *http.Request) { r.Header.Set("Authorization", token+"x") }, 403},
		{"part of the token", "GET", ContainerPath, func(r *http.Request) { r.Header.Set("Authorization", token[:10]) }, 403},
		{"bearer", "GET", ContainerPath, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, 403},
		{"other path", "GET", "/", authorized, 404},
		{"dots", "GET", "/x/.." + ContainerPath, authorized, 404},
		{"POST", "POST", ContainerPath, authorized, 405},
		{"PUT", "PUT", ContainerPath, authorized, 405},
		{"evil host", "GET", ContainerPath, func(r *http.Request) { authorized(r); r.Host = "evil" }, 403},
		{"other name of loopback", "GET", ContainerPath, func(r *http.Request) { authorized(r); r.Host = "localhost:" + port }, 403},
		{"host without port", "GET", ContainerPath, func(r *http.Request) { authorized(r); r.Host = "127.0.0.1" }, 403},
		{"origin", "GET", ContainerPath, func(r *http.Request) { authorized(r); r.Header.Set("Origin", "http://"+addr) }, 403},
		{"empty origin", "GET", ContainerPath, func(r *http.Request) { authorized(r); r.Header["Origin"] = []string{""} }, 403},
		{"browser", "GET", ContainerPath, func(r *http.Request) { authorized(r); r.Header.Set("Sec-Fetch-Mode", "no-cors") }, 403},
		{"body", "GET", ContainerPath, func(r *http.Request) {
			authorized(r)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1
		}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := ask(t, tt.method, "http://"+addr+tt.path, tt.change)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			if tt.status != 200 && strings.Contains(body, testCredentials.SecretAccessKey) {
				t.Errorf("a refusal shows the secret: %s", body)
			}
			if strings.Contains(body, token) || resp.Header.Get("Access-Control-Allow-Origin") != "" || resp.Header.Get("Location") != "" {
				t.Errorf("unexpected answer: %v %s", resp.Header, body)
			}
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be cached")
			}
		})
	}
	_, body := ask(t, "GET", "http://"+addr+ContainerPath, authorized)
	want := `{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et==","Token":"to/ken+=","Expiration":"2031-02-03T03:05:06Z","AccountId":"123456789012"}`
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestContainerServerSaysWhyThereIsNothing(t *testing.T) {
	addr, token := startContainerServer(t, func(context.Context) (session.Credentials, error) {
		return session.Credentials{}, errors.New("a token code is needed; run: groat exec p -- true")
	})
	resp, body := ask(t, "GET", "http://"+addr+ContainerPath, func(r *http.Request) { r.Header.Set("Authorization", token) })
	var answer struct{ Code, Message string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || resp.StatusCode != 503 ||
		answer.Code == "" || answer.Message != "a token code is needed; run: groat exec p -- true" {
		t.Errorf("%d %s (%v)", resp.StatusCode, body, err)
	}
}

func TestServerListensOnLoopbackOnly(t *testing.T) {
	addr, _ := startContainerServer(t, staticSource)
	_, port, _ := net.SplitHostPort(addr)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, _, err := net.ParseCIDR(a.String())
		if err != nil || ip.String() == "127.0.0.1" {
			continue
		}
		d := net.Dialer{Timeout: time.Second}
		if c, err := d.DialContext(t.Context(), "tcp", net.JoinHostPort(ip.String(), port)); err == nil {
			_ = c.Close()
			t.Errorf("the server answers on %s", ip)
		}
	}
}

func startMetadata(t *testing.T, m *Metadata) string {
	t.Helper()
	m.Source, m.Profile, m.Region = staticSource, "team/ad min", "eu-west-1"
	return "http://" + serve(t, Options{Handler: m.Handler}).Addr
}

func TestMetadataServer(t *testing.T) {
	now := testExpiration.Add(-time.Hour)
	m := &Metadata{Now: func() time.Time { return now }}
	base := startMetadata(t, m)
	resp, token := ask(t, "PUT", base+tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "60") })
	if resp.StatusCode != 200 || resp.Header.Get(ttlHeader) != "60" || token == "" {
		t.Fatalf("token: %d %v", resp.StatusCode, resp.Header)
	}
	with := func(r *http.Request) { r.Header.Set(tokenHeader, token) }
	for path, want := range map[string]string{
		rolesPath:                          "team-ad-min",
		strings.TrimSuffix(rolesPath, "/"): "team-ad-min",
		rolesPath + "team-ad-min": `{"Code":"Success","LastUpdated":"2031-02-03T02:05:06Z","Type":"AWS-HMAC",` +
			`"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et==","Token":"to/ken+=","Expiration":"2031-02-03T03:05:06Z","AccountId":"123456789012"}`,
		"/latest/meta-data/placement/region":            "eu-west-1",
		"/latest/meta-data/placement/availability-zone": "eu-west-1a",
	} {
		if resp, body := ask(t, "GET", base+path, with); resp.StatusCode != 200 || body != want {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	for _, tt := range []struct {
		name, method, path string
		change             func(*http.Request)
		status             int
	}{
		{"IMDSv1", "GET", rolesPath, func(*http.Request) {}, 401},
		{"forged token", "GET", rolesPath, func(r *http.Request) { r.Header.Set(tokenHeader, token[:len(token)-4]+"AAAA") }, 401},
		{"no base64", "GET", rolesPath, func(r *http.Request) { r.Header.Set(tokenHeader, "%%%") }, 401},
		{"other document", "GET", "/latest/user-data", with, 404},
		{"other role", "GET", rolesPath + "other", with, 404},
		{"write", "POST", rolesPath, with, 405},
		{"token by GET", "GET", tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "60") }, 405},
		{"no ttl", "PUT", tokenPath, func(*http.Request) {}, 400},
		{"ttl 0", "PUT", tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "0") }, 400},
		{"ttl too long", "PUT", tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "21601") }, 400},
		{"through a proxy", "PUT", tokenPath, func(r *http.Request) {
			r.Header.Set(ttlHeader, "60")
			r.Header.Set("X-Forwarded-For", "10.0.0.1")
		}, 403},
		{"evil host", "PUT", tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "60"); r.Host = "169.254.169.254" }, 403},
		{"origin", "PUT", tokenPath, func(r *http.Request) { r.Header.Set(ttlHeader, "60"); r.Header.Set("Origin", "null") }, 403},
	} {
		if resp, body := ask(t, tt.method, base+tt.path, tt.change); resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d: %s", tt.name, resp.StatusCode, tt.status, body)
		}
	}
	now = now.Add(time.Minute)
	if resp, _ := ask(t, "GET", base+rolesPath, with); resp.StatusCode != 401 {
		t.Errorf("an expired token opens the server: %d", resp.StatusCode)
	}
}

func TestMetadataV1OnlyWhenAsked(t *testing.T) {
	base := startMetadata(t, &Metadata{Now: time.Now, V1: true})
	if resp, body := ask(t, "GET", base+rolesPath, func(*http.Request) {}); resp.StatusCode != 200 || body != "team-ad-min" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := ask(t, "GET", base+rolesPath, func(r *http.Request) { r.Header.Set(tokenHeader, "wrong") }); resp.StatusCode != 401 {
		t.Errorf("a wrong token passes as IMDSv1: %d", resp.StatusCode)
	}
}

func TestServerStopsAndFreesThePort(t *testing.T) {
	nothing := func(string) http.Handler { return http.NotFoundHandler() }
	s := serve(t, Options{Handler: Container("t", staticSource)})
	// A client that says nothing does not keep the server alive.
	d := net.Dialer{}
	c, err := d.DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s.Stop()
	_, port, _ := net.SplitHostPort(s.Addr)
	n, _ := strconv.Atoi(port)
	serve(t, Options{Port: n, Handler: nothing})
	if _, err := Listen(t.Context(), Options{Port: n, Handler: nothing}); err == nil || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port in use: %v", err)
	}
}

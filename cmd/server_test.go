package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"groat/session"
)

func staticSource() (session.Credentials, error) { return testCredentials, nil }

func startContainerServer(t *testing.T, source credentialSource) (addr, token string) {
	t.Helper()
	token = newToken()
	s, err := serveLocal(t.Context(), 0, func(string) http.Handler { return containerHandler(token, source) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s.Addr, token
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
		{"right", "GET", containerPath, authorized, 200},
		{"no token", "GET", containerPath, func(*http.Request) {}, 403},
		{"wrong token", "GET", containerPath, func(r *http.Request) { r.Header.Set("Authorization", token+"x") }, 403},
		{"part of the token", "GET", containerPath, func(r *http.Request) { r.Header.Set("Authorization", token[:10]) }, 403},
		{"bearer", "GET", containerPath, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }, 403},
		{"other path", "GET", "/", authorized, 404},
		{"dots", "GET", "/x/.." + containerPath, authorized, 404},
		{"POST", "POST", containerPath, authorized, 405},
		{"PUT", "PUT", containerPath, authorized, 405},
		{"evil host", "GET", containerPath, func(r *http.Request) { authorized(r); r.Host = "evil" }, 403},
		{"other name of loopback", "GET", containerPath, func(r *http.Request) { authorized(r); r.Host = "localhost:" + port }, 403},
		{"host without port", "GET", containerPath, func(r *http.Request) { authorized(r); r.Host = "127.0.0.1" }, 403},
		{"origin", "GET", containerPath, func(r *http.Request) { authorized(r); r.Header.Set("Origin", "http://"+addr) }, 403},
		{"empty origin", "GET", containerPath, func(r *http.Request) { authorized(r); r.Header["Origin"] = []string{""} }, 403},
		{"browser", "GET", containerPath, func(r *http.Request) { authorized(r); r.Header.Set("Sec-Fetch-Mode", "no-cors") }, 403},
		{"body", "GET", containerPath, func(r *http.Request) {
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
	_, body := ask(t, "GET", "http://"+addr+containerPath, authorized)
	want := `{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et==","Token":"to/ken+=","Expiration":"2031-02-03T03:05:06Z","AccountId":"123456789012"}`
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestContainerServerSaysWhyThereIsNothing(t *testing.T) {
	addr, token := startContainerServer(t, func() (session.Credentials, error) {
		return session.Credentials{}, &sayError{msg: "a token code is needed", hint: "run: groat exec p -- true"}
	})
	resp, body := ask(t, "GET", "http://"+addr+containerPath, func(r *http.Request) { r.Header.Set("Authorization", token) })
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

func startMetadata(t *testing.T, m *metadata) string {
	t.Helper()
	m.Source, m.Profile, m.Region = staticSource, "team/ad min", "eu-west-1"
	s, err := serveLocal(t.Context(), 0, func(string) http.Handler { return m.handler() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return "http://" + s.Addr
}

func TestMetadataServer(t *testing.T) {
	now := testExpiration.Add(-time.Hour)
	m := &metadata{Now: func() time.Time { return now }}
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
	base := startMetadata(t, &metadata{Now: time.Now, V1: true})
	if resp, body := ask(t, "GET", base+rolesPath, func(*http.Request) {}); resp.StatusCode != 200 || body != "team-ad-min" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := ask(t, "GET", base+rolesPath, func(r *http.Request) { r.Header.Set(tokenHeader, "wrong") }); resp.StatusCode != 401 {
		t.Errorf("a wrong token passes as IMDSv1: %d", resp.StatusCode)
	}
}

// Another user of the machine reaches the port and gets nothing.
func TestOnlyOwnUser(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells whose a connection is")
	}
	s, err := serveLocal(t.Context(), 0, func(string) http.Handler {
		return onlyOwnUser(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			uid, ok := clientUser(r)
			_, _ = io.WriteString(w, strconv.Itoa(uid)+strconv.FormatBool(ok))
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	resp, body := ask(t, "GET", "http://"+s.Addr, func(*http.Request) {})
	if want := strconv.Itoa(os.Getuid()) + "true"; resp.StatusCode != 200 || body != want {
		t.Errorf("own request: %d %q, want %q", resp.StatusCode, body, want)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can be another user")
	}
	_, port, _ := net.SplitHostPort(s.Addr)
	c := exec.CommandContext(t.Context(), "bash", "-c",
		`exec 3<>/dev/tcp/127.0.0.1/$0; printf 'GET / HTTP/1.1\r\nHost: %s\r\n\r\n' "$1" >&3; head -n 1 <&3`, port, s.Addr)
	c.SysProcAttr = otherUser()
	out, err := c.Output()
	if err != nil || !strings.Contains(string(out), "403") {
		t.Errorf("another user got %q, %v", out, err)
	}
}

func TestServerStopsAndFreesThePort(t *testing.T) {
	s, err := serveLocal(context.Background(), 0, func(string) http.Handler { return containerHandler("t", staticSource) })
	if err != nil {
		t.Fatal(err)
	}
	// A client that says nothing does not keep the server alive.
	d := net.Dialer{}
	c, err := d.DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s.stop()
	_, port, _ := net.SplitHostPort(s.Addr)
	n, _ := strconv.Atoi(port)
	again, err := serveLocal(context.Background(), n, func(string) http.Handler { return http.NotFoundHandler() })
	if err != nil {
		t.Fatal(err)
	}
	defer again.stop()
	if _, err := serveLocal(context.Background(), n, func(string) http.Handler { return http.NotFoundHandler() }); err == nil || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port in use: %v", err)
	}
}

package provider_test

import (
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
)

func (w *world) identityThrough(t *testing.T, o provider.CallOptions) error {
	t.Helper()
	o.Profile = "default"
	_, err := provider.CallerIdentity(t.Context(), o, session.Credentials{AccessKeyID: w.key.ID, SecretAccessKey: w.key.Secret})
	return err
}

func at(url string) profile.Endpoints { return profile.Endpoints{URL: map[string]string{"": url}} }

func TestTroubleIsRetriedWithBounds(t *testing.T) {
	for name, f := range map[string]ststest.Fault{
		"500": {Status: 500}, "503": {Status: 503}, "429": {Status: 429},
		"throttling by its code": {Status: 400, Code: "Throttling"},
		"reset":                  {Kind: ststest.FaultReset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			f.Times = 2
			w.srv.Inject(f)
			if err := w.identityThrough(t, provider.CallOptions{Endpoints: at(w.srv.URL)}); err != nil {
				t.Errorf("it recovered at the third attempt, but: %v", err)
			}
			w.srv.ResetCalls()
			f.Times = 0
			w.srv.Inject(f)
			wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: at(w.srv.URL)}), provider.ErrUnreachable)
			if n := w.srv.Count(""); n != 3 {
				t.Errorf("%d attempts, want 3", n)
			}
		})
	}
}

func TestAnEmptyAnswerProvesNoKey(t *testing.T) {
	w := newWorld(t)
	w.srv.Inject(ststest.Fault{Kind: ststest.FaultEmpty})
	wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: at(w.srv.URL)}), provider.ErrUnreachable, "not AWS's")
}

// Nor does one say that there is nothing.
func TestAnEmptyListIsNoAnswer(t *testing.T) {
	w := newWorld(t)
	w.srv.Inject(ststest.Fault{Kind: ststest.FaultEmpty})
	devices, err := provider.MFADevices(t.Context(), provider.CallOptions{Endpoints: at(w.srv.URL), Profile: "default"}, session.Credentials{AccessKeyID: w.key.ID, SecretAccessKey: w.key.Secret})
	wantError(t, err, provider.ErrUnreachable, "not AWS's")
	if devices != nil {
		t.Errorf("devices %v", devices)
	}
}

// A code in a call that no server's certificate let out is not spent.
func TestNoTLSSpendsNoCode(t *testing.T) {
	w := mfaRoles(t)
	good := w.env["AWS_ENDPOINT_URL"]
	w.env["AWS_ENDPOINT_URL"] = strings.Replace(good, "http:", "https:", 1)
	m := w.newMinter()
	m.MFACode = w.device.FreshCode()
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrUnreachable)
	w.env["AWS_ENDPOINT_URL"] = good
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
		t.Errorf("the same code: %v", err)
	}
}

func TestAnswersThatAreNotAWSs(t *testing.T) {
	for name, kind := range map[string]ststest.FaultKind{
		"bad XML": ststest.FaultBadXML, "64 MiB": ststest.FaultHugeBody, "nothing": ststest.FaultEmpty,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.srv.Inject(ststest.Fault{Kind: kind, Operation: "sts:GetSessionToken"})
			_, err := w.mint("default", provider.Options{})
			wantError(t, err, provider.ErrUnreachable, "endpoint")
			if n := len(w.store.items); n != 0 {
				t.Errorf("%d items were cached", n)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	w := newWorld(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + ln.Addr().String()
	_ = ln.Close()
	wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: at(closed)}), provider.ErrUnreachable, "refused")
	wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: at("https://no-such-host.invalid")}), provider.ErrUnreachable, "no-such-host.invalid")
	wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: at("ftp://x")}), profile.ErrMalformed, "endpoint URL")
	wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: at("https://user:secret@x")}), profile.ErrMalformed, "…@x")
}

func TestTLSAndProxies(t *testing.T) {
	srv := ststest.Start(t, ststest.Options{TLS: true})
	w := newWorld(t)
	w.srv, w.user = srv, srv.AddUser(account, "alice")
	w.key = w.user.AddAccessKey()

	err := w.identityThrough(t, provider.CallOptions{Endpoints: at(srv.URL)})
	wantError(t, err, provider.ErrUnreachable, "certificate", "AWS_CA_BUNDLE")

	ca, err := srv.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	e := at(srv.URL)
	e.CABundle = ca
	if err := w.identityThrough(t, provider.CallOptions{Endpoints: e}); err != nil {
		t.Error(err)
	}
	for name, content := range map[string]string{"missing": "", "no PEM": "hello"} {
		path := filepath.Join(t.TempDir(), "ca.pem")
		if content != "" {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		e.CABundle = path
		t.Run(name, func(t *testing.T) {
			wantError(t, w.identityThrough(t, provider.CallOptions{Endpoints: e}), profile.ErrUnsupported, "CA bundle", path)
		})
	}

	// With a proxy, AWS's own names are called through it.
	proxy, err := srv.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	through, err := provider.NewHTTPClient(ca, proxyAt(t, proxy))
	if err != nil {
		t.Fatal(err)
	}
	srv.ResetCalls()
	if err := w.identityThrough(t, provider.CallOptions{Region: "ap-south-1", HTTP: through}); err != nil {
		t.Error(err)
	}
	if calls := srv.Calls(); len(calls) != 1 || calls[0].Host != "sts.ap-south-1.amazonaws.com" {
		t.Errorf("calls %v", calls)
	}
	dead, err := provider.NewHTTPClient(ca, proxyAt(t, "http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, w.identityThrough(t, provider.CallOptions{HTTP: dead}), provider.ErrUnreachable, "proxy", "HTTPS_PROXY")
}

func proxyAt(t *testing.T, address string) provider.ProxyFunc {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return http.ProxyURL(u)
}

func TestSilentEndpointIsGivenUp(t *testing.T) {
	w := newWorld(t)
	for _, kind := range []ststest.FaultKind{ststest.FaultHalfOpen, ststest.FaultSlowBody} {
		w.srv.ClearFaults()
		w.srv.Inject(ststest.Fault{Kind: kind})
		err := w.identityThrough(t, provider.CallOptions{Endpoints: at(w.srv.URL), Timeout: 200 * time.Millisecond})
		wantError(t, err, provider.ErrUnreachable, "no answer in time")
	}
}

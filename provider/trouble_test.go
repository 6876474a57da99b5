package provider_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
)

// Credentials that are over when they come are no credentials.
func TestExpiredOnArrival(t *testing.T) {
	for name, c := range map[string]struct {
		profile string
		world   func(t *testing.T) *world
	}{
		"session": {"default", newWorld},
		"role":    {"role", func(t *testing.T) *world { return newWorld(t).role("admin", ststest.RoleOptions{}).without() }},
		"process": {"p", func(t *testing.T) *world {
			return processWorld(t, `printf '{"Version":1,"AccessKeyId":"ASIASECRETTEXTSECRET","SecretAccessKey":"x","SessionToken":"y","Expiration":"2001-01-01T00:00:00Z"}'`)
		}},
		"web identity": {"ci", func(t *testing.T) *world {
			w, file := webIdentityWorld(t)
			writeToken(t, file, w.srv.WebIdentityToken(issuer, "repo:x", "sts.amazonaws.com", time.Hour))
			return w
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := c.world(t)
			w.later = 1000 * time.Hour // this machine's clock
			m := w.newMinter()
			m.Environ = []string{"PATH=/usr/bin:/bin"}
			creds, err := m.Credentials(t.Context(), w.plan(c.profile, provider.Options{}))
			wantError(t, err, provider.ErrUnreachable, "expired at", "clock")
			if creds != (session.Credentials{}) || len(w.store.items) > 0 {
				t.Errorf("%v was handed out or kept", creds)
			}
		})
	}
}

// without has a profile "role" that needs no code.
func (w *world) without() *world {
	w.config += "[profile role]\nrole_arn = " + roleARN("admin") + "\nsource_profile = default\n"
	return w
}

// MinIO's and LocalStack's key IDs are kept as AWS's are.
func TestKeyIDsOfOthersAreCached(t *testing.T) {
	for _, id := range []string{"test", "minio-user.1", "LSIAQAAAAAAVNCBMPNSG"} {
		w := processWorld(t, `echo run >> "$COUNT"; printf '%s' "$OUTPUT"`)
		count := filepath.Join(t.TempDir(), "count")
		output := `{"Version":1,"AccessKeyId":"` + id + `","SecretAccessKey":"s","SessionToken":"t","Expiration":"` + time.Now().Add(time.Hour).UTC().Format(time.RFC3339) + `"}`
		for range 2 {
			if err := w.runs("p", "COUNT="+count, "OUTPUT="+output); err != nil {
				t.Fatal(err)
			}
		}
		if n := strings.Count(readFile(t, count), "run"); n != 1 || len(w.warned) > 0 {
			t.Errorf("%s: run %d times, warned %q", id, n, w.warned)
		}
	}
}

// An access key with an end (other makers' have one) is no identity token.
func TestExpiredKeyHint(t *testing.T) {
	w := newWorld(t)
	w.srv.Inject(ststest.Fault{Status: 403, Code: "ExpiredToken"})
	_, err := w.mint("default", provider.Options{})
	wantError(t, err, provider.ErrRefused, w.key.ID, "groat add default --overwrite")
}

// tlsServer answers with a certificate for this machine's address, valid
// until then, and gives the file that vouches for it.
func tlsServer(t *testing.T, until time.Time) (url, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: until.Add(-24 * time.Hour), NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return srv.URL, ca
}

func TestCertificatesThatAreNotTaken(t *testing.T) {
	w := newWorld(t)
	call := func(url, ca string) error {
		e := at(url)
		e.CABundle = ca
		return w.identityThrough(t, provider.CallOptions{Endpoints: e})
	}
	expired, ca := tlsServer(t, time.Now().Add(-time.Hour))
	wantError(t, call(expired, ca), provider.ErrUnreachable, "expired", "clock")
	good, ca := tlsServer(t, time.Now().Add(time.Hour))
	wantError(t, call(strings.Replace(good, "127.0.0.1", "localhost", 1), ca), provider.ErrUnreachable, "check endpoint_url")
	_, other := tlsServer(t, time.Now().Add(time.Hour))
	wantError(t, call(good, other), provider.ErrUnreachable, "AWS_CA_BUNDLE to its certificates")
}

// A machine without a single CA certificate (an empty container) is told so.
// The system's pool is read once, so another process must do it.
func TestNoCACertificates(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("the system has its own checker there")
	}
	if url := os.Getenv("GROAT_TEST_NO_CA"); url != "" {
		wantError(t, newWorld(t).identityThrough(t, provider.CallOptions{Endpoints: at(url)}), provider.ErrUnreachable, "no CA certificates", "ca-certificates")
		return
	}
	url, _ := tlsServer(t, time.Now().Add(time.Hour))
	cmd := exec.Command(os.Args[0], "-test.run=^TestNoCACertificates$")
	cmd.Env = append(os.Environ(), "GROAT_TEST_NO_CA="+url, "SSL_CERT_FILE="+os.DevNull, "SSL_CERT_DIR="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A proxy's no is told by its reason, and is nobody else's: processes that
// waited go on, as their own environment may name a better one, or none.
func TestProxyFailures(t *testing.T) {
	for status, says := range map[string]string{"407 Proxy Authentication Required": "http://USER:PASSWORD@HOST:PORT", "403 Forbidden": "lets AWS through"} {
		proxy := refusingProxy(t, status)
		client, err := provider.NewHTTPClient("", proxyAt(t, proxy))
		if err != nil {
			t.Fatal(err)
		}
		err = newWorld(t).identityThrough(t, provider.CallOptions{HTTP: client})
		wantError(t, err, provider.ErrUnreachable, "proxy: HTTP status "+status, says)
		if code, final := isFinal(err); final {
			t.Errorf("it ends the wait of others: %s", code)
		}
	}
	dead, err := provider.NewHTTPClient("", proxyAt(t, "http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, final := isFinal(newWorld(t).identityThrough(t, provider.CallOptions{HTTP: dead})); final {
		t.Error("a dead proxy ends the wait of others")
	}
}

func refusingProxy(t *testing.T, status string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
			_ = c.Close()
		}
	}()
	return "http://" + ln.Addr().String()
}

// net/http passes over a proxy's address that it cannot read.
func TestUnreadableProxy(t *testing.T) {
	for address, bad := range map[string]bool{
		"http://user:p#ss@proxy:3128": true, "http://pro xy:3128": true, "ftp://proxy": true, "http://:pass%zz@proxy": true,
		"http://proxy:3128": false, "proxy:3128": false, "socks5h://proxy": false, "": false,
	} {
		env := map[string]string{"HTTPS_PROXY": address}
		client, err := provider.NewHTTPClient("", provider.CheckedProxy(func(k string) string { return env[k] }, http.ProxyURL(nil)))
		if err != nil {
			t.Fatal(err)
		}
		client.Timeout = 5 * time.Second
		err = newWorld(t).identityThrough(t, provider.CallOptions{Endpoints: at("https://127.0.0.1:1"), HTTP: client})
		if got := errors.Is(err, profile.ErrMalformed); got != bad || bad && (!strings.Contains(err.Error(), "HTTPS_PROXY") || strings.Contains(err.Error(), "p#ss")) {
			t.Errorf("%q: refused %v, want %v: %v", address, got, bad, err)
		}
	}
}

package ststest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"groat/provider/ststest"
)

const (
	account = "123456789012"
	admin   = "arn:aws:iam::123456789012:role/admin"
	other   = "arn:aws:iam::123456789012:role/team/other"
)

// clock is a time that stands still until it is moved. It starts near the
// real one, because the SDK signs with that.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type world struct {
	*ststest.Server
	clock  *clock
	alice  *ststest.User
	key    *ststest.AccessKey
	device *ststest.Device
}

func newWorld(t *testing.T) *world {
	c := &clock{t: time.Now()}
	srv := ststest.Start(t, ststest.Options{Now: c.now})
	w := &world{Server: srv, clock: c, alice: srv.AddUser(account, "alice")}
	w.key, w.device = w.alice.AddAccessKey(), w.alice.AddMFA()
	srv.AddRole(admin, ststest.RoleOptions{MaxSession: 12 * time.Hour})
	srv.AddRole(other, ststest.RoleOptions{})
	return w
}

func provider(id, secret, token string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, nil
	})
}

func (w *world) own() aws.CredentialsProvider { return provider(w.key.ID, w.key.Secret, "") }

func of(c *ststypes.Credentials) aws.CredentialsProvider {
	return provider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

func (w *world) sts(p aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: &w.URL, Credentials: p, Retryer: aws.NopRetryer{}})
}

func (w *world) iam(p aws.CredentialsProvider) *iam.Client {
	return iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: &w.URL, Credentials: p, Retryer: aws.NopRetryer{}})
}

// session is a session of alice, with MFA or without.
func (w *world) session(t *testing.T, mfa bool) *ststypes.Credentials {
	t.Helper()
	in := &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(3600)}
	if mfa {
		in.SerialNumber, in.TokenCode = &w.device.Serial, aws.String(w.device.FreshCode())
	}
	out, err := w.sts(w.own()).GetSessionToken(t.Context(), in)
	if err != nil {
		t.Fatalf("could not get a session: %v", err)
	}
	return out.Credentials
}

// role assumes a role with credentials.
func (w *world) role(t *testing.T, p aws.CredentialsProvider, change func(*sts.AssumeRoleInput)) (*sts.AssumeRoleOutput, error) {
	t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: aws.String(admin), RoleSessionName: aws.String("alice")}
	if change != nil {
		change(in)
	}
	return w.sts(p).AssumeRole(t.Context(), in)
}

// refused fails the test unless err is AWS's refusal of this code whose
// message holds the words.
func refused(t *testing.T, err error, code, words string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("want %s, got %v", code, err)
	}
	if api.ErrorCode() != code || !strings.Contains(api.ErrorMessage(), words) {
		t.Fatalf("want %s with %q, got %s: %s", code, words, api.ErrorCode(), api.ErrorMessage())
	}
}

func granted(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
}

func TestTheMainRoad(t *testing.T) {
	w := newWorld(t)
	w.AddRole(admin, ststest.RoleOptions{RequireMFA: true})
	out, err := w.sts(w.own()).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{
		DurationSeconds: aws.Int32(28800), SerialNumber: &w.device.Serial, TokenCode: aws.String(w.device.FreshCode())})
	granted(t, err)
	if got, want := out.Credentials.Expiration.UTC(), w.clock.now().Add(8*time.Hour).UTC().Truncate(time.Second); !got.Equal(want) {
		t.Errorf("expiration %s, want %s", got, want)
	}
	role, err := w.role(t, of(out.Credentials), nil)
	granted(t, err)
	id, err := w.sts(of(role.Credentials)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	if *id.Arn != "arn:aws:sts::123456789012:assumed-role/admin/alice" || *id.Account != account {
		t.Errorf("identity %s in %s", *id.Arn, *id.Account)
	}
	devices, err := w.iam(of(out.Credentials)).ListMFADevices(t.Context(), nil)
	granted(t, err)
	if len(devices.MFADevices) != 1 || *devices.MFADevices[0].SerialNumber != w.device.Serial {
		t.Errorf("devices %v", devices.MFADevices)
	}
	want := "sts:GetSessionToken sts:AssumeRole sts:GetCallerIdentity iam:ListMFADevices"
	if got := strings.Join(w.Names(), " "); got != want {
		t.Errorf("calls %q, want %q", got, want)
	}
	first := w.Calls()[0]
	if first.AccessKeyID != w.key.ID || first.MFASerial != w.device.Serial || !first.HasCode || first.Duration != 8*time.Hour ||
		first.Region != "eu-west-1" || first.Issued != *out.Credentials.AccessKeyId || first.Status != 200 || first.ConnID != 1 {
		t.Errorf("call %+v", first)
	}
	if second := w.Calls()[1]; second.RoleARN != admin || second.SessionName != "alice" || second.AccessKeyID != *out.Credentials.AccessKeyId {
		t.Errorf("call %+v", second)
	}
}

func TestSignaturesAreVerified(t *testing.T) {
	w := newWorld(t)
	call := func(p aws.CredentialsProvider) error {
		_, err := w.sts(p).GetCallerIdentity(t.Context(), nil)
		return err
	}
	granted(t, call(w.own()))
	s := w.session(t, false)
	granted(t, call(of(s)))
	stranger := w.AddUser(account, "bob").AddAccessKey()
	refused(t, call(provider(w.key.ID, w.key.Secret+"x", "")), "SignatureDoesNotMatch", "signature we calculated")
	refused(t, call(provider(w.key.ID, stranger.Secret, "")), "SignatureDoesNotMatch", "")
	refused(t, call(provider("AKIAAAAAAAAAAAAAAAAA", w.key.Secret, "")), "InvalidClientTokenId", "")
	refused(t, call(provider(w.key.ID, w.key.Secret, *s.SessionToken)), "InvalidClientTokenId", "")
	refused(t, call(provider(*s.AccessKeyId, *s.SecretAccessKey, "")), "InvalidClientTokenId", "")
	refused(t, call(provider(*s.AccessKeyId, *s.SecretAccessKey, *w.session(t, false).SessionToken)), "InvalidClientTokenId", "")
	refused(t, call(provider(*s.AccessKeyId, w.key.Secret, *s.SessionToken)), "SignatureDoesNotMatch", "")

	w.SetSkew(6 * time.Minute)
	refused(t, call(w.own()), "SignatureDoesNotMatch", "Signature expired")
	w.SetSkew(-6 * time.Minute)
	refused(t, call(w.own()), "SignatureDoesNotMatch", "Signature not yet current")
	w.SetSkew(4 * time.Minute)
	granted(t, call(w.own()))
	w.SetSkew(0)

	w.key.SetActive(false)
	refused(t, call(w.own()), "InvalidClientTokenId", "")
	refused(t, call(of(s)), "InvalidClientTokenId", "")
	w.key.SetActive(true)
	granted(t, call(of(s)))
	w.key.Delete()
	refused(t, call(w.own()), "InvalidClientTokenId", "")
	refused(t, call(of(s)), "InvalidClientTokenId", "")

	for name, header := range map[string]string{
		"MissingAuthenticationToken": "", "IncompleteSignature": "AWS4-HMAC-SHA256 Credential=a/b/c, Signature=x",
	} {
		req, _ := http.NewRequest(http.MethodPost, w.URL, strings.NewReader("Action=GetCallerIdentity&Version=2011-06-15"))
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		resp, err := http.DefaultClient.Do(req)
		granted(t, err)
		_ = resp.Body.Close()
		if calls := w.Calls(); calls[len(calls)-1].Code != name {
			t.Errorf("want %s, got %+v", name, calls[len(calls)-1])
		}
	}
}

// A request that is changed on its way is refused: each part that the
// signature covers.
func TestTamperedRequestsAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, tamper := range map[string]func(*http.Request){
		"host":   func(r *http.Request) { r.Host = "sts.evil.example" },
		"query":  func(r *http.Request) { r.URL.RawQuery = "a=b" },
		"header": func(r *http.Request) { r.Header.Set("X-Amz-Target", "x") },
		"region": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "eu-west-1", "us-east-1", 1))
		},
		"service": func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/sts/", "/iam/", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := sts.New(sts.Options{Region: "eu-west-1", BaseEndpoint: &w.URL, Credentials: w.own(), Retryer: aws.NopRetryer{},
				HTTPClient: doer(func(r *http.Request) (*http.Response, error) { tamper(r); return http.DefaultClient.Do(r) })})
			_, err := c.GetCallerIdentity(t.Context(), nil)
			refused(t, err, "SignatureDoesNotMatch", "")
		})
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestSessionTokenRules(t *testing.T) {
	w := newWorld(t)
	call := func(p aws.CredentialsProvider, d int32, serial, code string) error {
		in := &sts.GetSessionTokenInput{DurationSeconds: &d}
		if serial != "" {
			in.SerialNumber = &serial
		}
		if code != "" {
			in.TokenCode = &code
		}
		_, err := w.sts(p).GetSessionToken(t.Context(), in)
		return err
	}
	granted(t, call(w.own(), 900, "", ""))
	granted(t, call(w.own(), 129600, "", ""))
	refused(t, call(w.own(), 899, "", ""), "ValidationError", "greater than or equal to 900")
	refused(t, call(w.own(), 129601, "", ""), "ValidationError", "less than or equal to 129600")
	refused(t, call(of(w.session(t, true)), 900, "", ""), "AccessDenied", "session credentials")
	got, err := w.role(t, w.own(), nil)
	granted(t, err)
	refused(t, call(of(got.Credentials), 900, "", ""), "AccessDenied", "session credentials")

	code := w.device.FreshCode()
	granted(t, call(w.own(), 900, w.device.Serial, code))
	refused(t, call(w.own(), 900, w.device.Serial, code), "AccessDenied", "invalid MFA one time pass code")
	refused(t, call(w.own(), 900, w.device.Serial, w.device.WrongCode()), "AccessDenied", "invalid MFA one time pass code")
	refused(t, call(w.own(), 900, w.device.Serial, "12345"), "ValidationError", "tokenCode")
	refused(t, call(w.own(), 900, w.device.Serial, "12345a"), "ValidationError", "tokenCode")
	refused(t, call(w.own(), 900, "", "123456"), "AccessDenied", "must provide both")
	refused(t, call(w.own(), 900, w.device.Serial, ""), "AccessDenied", "must provide both")
	bobs := w.AddUser(account, "bob").AddMFA()
	refused(t, call(w.own(), 900, bobs.Serial, bobs.FreshCode()), "AccessDenied", "verify your MFA serial number")
	refused(t, call(w.own(), 900, w.device.Serial+"x", "123456"), "AccessDenied", "verify your MFA serial number")

	// One step before and after, and no more; each step once.
	w.clock.add(time.Hour)
	w.SetSkew(-time.Hour) // the signature's time is the real one
	now := w.clock.now().Add(-time.Hour)
	for _, n := range []time.Duration{-2, 2} {
		refused(t, call(w.own(), 900, w.device.Serial, w.device.Code(now.Add(n*30*time.Second))), "AccessDenied", "invalid MFA")
	}
	w.device.Forget()
	for _, n := range []time.Duration{-1, 0, 1} {
		granted(t, call(w.own(), 900, w.device.Serial, w.device.Code(now.Add(n*30*time.Second))))
	}

	root := w.AddRootUser(account).AddAccessKey()
	out, err := w.sts(provider(root.ID, root.Secret, "")).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(7200)})
	granted(t, err)
	if left := out.Credentials.Expiration.Sub(now); left > time.Hour {
		t.Errorf("the root user got %s", left)
	}
}

func TestExpiry(t *testing.T) {
	w := newWorld(t)
	key := w.alice.AddDevice("arn:aws:iam::123456789012:u2f/user/alice/key-ABC")
	_, err := w.sts(w.own()).GetSessionToken(t.Context(), sessionInput(key.Serial, key.FreshCode()))
	refused(t, err, "AccessDenied", "verify your MFA serial number")
	w.CapRoleSessions(time.Minute)
	short, err := w.role(t, w.own(), nil)
	granted(t, err)
	if left := short.Credentials.Expiration.Sub(w.clock.now()); left > time.Minute {
		t.Errorf("lasts %s", left)
	}
	s := w.session(t, true)
	granted(t, func() error { _, err := w.sts(of(s)).GetCallerIdentity(t.Context(), nil); return err }())
	w.ExpireSessions()
	_, err = w.sts(of(s)).GetCallerIdentity(t.Context(), nil)
	refused(t, err, "ExpiredToken", "expired")
	s = w.session(t, true)
	w.RevokeSessions()
	_, err = w.sts(of(s)).GetCallerIdentity(t.Context(), nil)
	refused(t, err, "InvalidClientTokenId", "")
}

func TestCredentialsAreUnique(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for range 20 {
		c := w.session(t, false)
		for _, v := range []string{*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken} {
			if seen[v] {
				t.Fatalf("%s was given out twice", v)
			}
			seen[v] = true
		}
	}
}

func TestTLSAndProxy(t *testing.T) {
	srv := ststest.Start(t, ststest.Options{TLS: true})
	key := srv.AddUser(account, "alice").AddAccessKey()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(srv.CA()) {
		t.Fatal("no authority")
	}
	proxy, err := srv.Proxy()
	granted(t, err)
	through, err := url.Parse(proxy)
	granted(t, err)
	for name, transport := range map[string]*http.Transport{
		"direct": {TLSClientConfig: &tls.Config{RootCAs: pool}},
		"proxy":  {TLSClientConfig: &tls.Config{RootCAs: pool}, Proxy: http.ProxyURL(through)},
	} {
		t.Run(name, func(t *testing.T) {
			srv.ResetCalls()
			o := sts.Options{Region: "eu-west-1", Credentials: provider(key.ID, key.Secret, ""), Retryer: aws.NopRetryer{}, HTTPClient: &http.Client{Transport: transport}}
			if name == "direct" {
				o.BaseEndpoint = &srv.URL
			}
			_, err := sts.New(o).GetCallerIdentity(t.Context(), nil)
			granted(t, err)
			calls := srv.Calls()
			if len(calls) != 1 {
				t.Fatalf("calls %v", calls)
			}
			if name == "proxy" && calls[0].Host != "sts.eu-west-1.amazonaws.com" {
				t.Errorf("host %s", calls[0].Host)
			}
			transport.CloseIdleConnections()
		})
	}
	_, err = http.Get(srv.URL) //nolint:noctx // the certificate is what is tested
	if err == nil {
		t.Error("a client that does not know the authority trusted it")
	}
}

func sessionInput(serial, code string) *sts.GetSessionTokenInput {
	return &sts.GetSessionTokenInput{SerialNumber: &serial, TokenCode: &code}
}

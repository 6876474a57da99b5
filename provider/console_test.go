package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
	"groat/vault/accesskey"
)

func (w *world) signin() provider.ConsoleSignin {
	return provider.ConsoleSignin{
		CallOptions: provider.CallOptions{
			Profile: "admin", Region: "eu-west-1", HTTP: w.minter.HTTP,
			Endpoints: profile.Endpoints{URL: map[string]string{"": w.srv.URL}},
		},
		Partition: "aws",
	}
}

func TestSigninWithARole(t *testing.T) {
	w := newWorld(t).role("admin", ststest.RoleOptions{RequireMFA: true})
	creds := w.mustMint("admin", provider.Options{})
	w.srv.ResetCalls()
	s := w.signin()
	token, err := s.Token(t.Context(), creds)
	if err != nil {
		t.Fatal(err)
	}
	if arn, d, ok := w.srv.SigninIdentity(token); !ok || !strings.Contains(arn, "assumed-role/admin/") || d != 0 {
		t.Errorf("signed in as %s for %s (%v)", arn, d, ok)
	}
	link, err := s.URL(token, "https://console.aws.amazon.com/")
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := w.minter.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != "https://console.aws.amazon.com/" {
		t.Errorf("the link leads to %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
}

func TestSigninDurationOnlyWhereAWSTakesOne(t *testing.T) {
	w := newWorld(t).role("admin", ststest.RoleOptions{RequireMFA: true})
	for _, o := range []provider.Options{{}, {NoSession: true}} {
		p := w.plan("admin", o)
		creds, err := w.newMinter().Credentials(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		s := w.signin()
		s.Duration = 2 * time.Hour
		if legal := p.ConsoleDuration(); legal != o.NoSession {
			t.Errorf("%+v: ConsoleDuration() = %v", o, legal)
			continue
		} else if !legal {
			continue
		}
		token, err := s.Token(t.Context(), creds)
		if err != nil {
			t.Fatal(err)
		}
		if _, d, ok := w.srv.SigninIdentity(token); !ok || d != 2*time.Hour {
			t.Errorf("the console session lasts %s", d)
		}
	}
	if w.plan("default", provider.Options{}).ConsoleDuration() {
		t.Error("a session token takes no SessionDuration")
	}
}

func TestSigninRefusedAndFederated(t *testing.T) {
	w := newWorld(t)
	s := w.signin()
	_, err := s.Token(t.Context(), w.mustMint("default", provider.Options{}))
	var call *provider.CallError
	if !errors.Is(err, provider.ErrRefused) || !errors.As(err, &call) || call.Status != 400 {
		t.Errorf("a session token signs in: %v", err)
	}
	key := accesskey.Key{ID: w.key.ID, Secret: w.key.Secret}
	if _, err := provider.FederationToken(t.Context(), s.CallOptions, key, "alice", time.Hour, nil, ""); err == nil {
		t.Error("a federation token without a policy was asked for")
	}
	creds, err := provider.FederationToken(t.Context(), s.CallOptions, key, "a name, too long for a federated user (and odd)", time.Hour, []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Token(t.Context(), creds); err != nil {
		t.Errorf("a federation token does not sign in: %v", err)
	}
}

// Whatever fails, the error holds neither the credentials nor the request.
func TestSigninErrorsHoldNoSecret(t *testing.T) {
	creds := session.Credentials{AccessKeyID: "ASIAX", SecretAccessKey: "SECRETKEY", SessionToken: "SESSIONTOKEN"} //nolint:gosec // G101: no real credentials
	answer := func(status int, body string) roundTrip {
		return func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
		}
	}
	for name, tt := range map[string]struct {
		transport roundTrip
		class     error
	}{
		"unreachable":  {func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("dial %s: no route", r.URL.Host) }, provider.ErrUnreachable},
		"server error": {answer(503, "SECRETKEY"), provider.ErrUnreachable},
		"throttled":    {answer(429, ""), provider.ErrUnreachable},
		"refused":      {answer(400, "<html>SESSIONTOKEN</html>"), provider.ErrRefused},
		"redirected":   {answer(302, ""), provider.ErrRefused},
		"not JSON":     {answer(200, "<html>SECRETKEY"), provider.ErrUnreachable},
		"empty":        {answer(200, `{"SigninToken":""}`), provider.ErrUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			var sent *http.Request
			s := provider.ConsoleSignin{Partition: "aws", CallOptions: provider.CallOptions{Profile: "p", HTTP: &http.Client{
				Transport:     roundTrip(func(r *http.Request) (*http.Response, error) { sent = r; return tt.transport(r) }),
				CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			}}}
			_, err := s.Token(t.Context(), creds)
			if !errors.Is(err, tt.class) {
				t.Errorf("%v is no %v", err, tt.class)
			}
			for _, secret := range []string{creds.SecretAccessKey, creds.SessionToken} {
				if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
				if strings.Contains(sent.URL.String(), secret) {
					t.Errorf("the URL holds a secret: %s", sent.URL)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := provider.ConsoleSignin{Partition: "aws", CallOptions: provider.CallOptions{HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return nil, r.Context().Err() })}}}
	if _, err := s.Token(ctx, creds); !errors.Is(err, provider.ErrInterrupted) {
		t.Errorf("interrupted: %v", err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestConsolePages(t *testing.T) {
	for _, tt := range []struct{ partition, region, destination, path, want string }{
		{"aws", "", "", "", "https://console.aws.amazon.com/console/home?region=us-east-1"},
		{"aws", "eu-west-1", "", "", "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1"},
		{"aws", "eu-west-1", "s3", "", "https://eu-west-1.console.aws.amazon.com/s3/home?region=eu-west-1"},
		{"aws", "eu-west-1", "", "s3/buckets/x?tab=objects", "https://eu-west-1.console.aws.amazon.com/s3/buckets/x?tab=objects"},
		{"aws", "eu-west-1", "", "/ec2/home#Instances:", "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#Instances:"},
		{"aws", "eu-west-1", "https://console.aws.amazon.com/iam/home", "", "https://console.aws.amazon.com/iam/home"},
		{"aws-cn", "cn-north-1", "ec2", "", "https://console.amazonaws.cn/ec2/home?region=cn-north-1"},
		{"aws-us-gov", "us-gov-west-1", "", "", "https://us-gov-west-1.console.amazonaws-us-gov.com/console/home?region=us-gov-west-1"},
		{"aws-eusc", "", "", "", "https://console.amazonaws-eusc.eu/console/home?region=eusc-de-east-1"},
		{"aws", "evil.example/?", "", "", "https://console.aws.amazon.com/console/home?region=us-east-1"},
	} {
		s := provider.ConsoleSignin{Partition: tt.partition, CallOptions: provider.CallOptions{Region: tt.region}}
		if got, err := s.Destination(tt.destination, tt.path); err != nil || got != tt.want {
			t.Errorf("%+v: %s, %v", tt, got, err)
		}
	}
	for _, bad := range []string{
		"https://evil.example/", "https://console.aws.amazon.com.evil.example/", "http://console.aws.amazon.com/", "https://user@console.aws.amazon.com/",
		"https://evilconsole.aws.amazon.com/", "javascript://console.aws.amazon.com/", "S3", "../x", "a b", "https://console.aws.amazon.com:8443/",
	} {
		s := provider.ConsoleSignin{Partition: "aws"}
		if got, err := s.Destination(bad, ""); !errors.Is(err, provider.ErrDestination) {
			t.Errorf("%q: %s, %v", bad, got, err)
		}
	}
}

func TestSigninHosts(t *testing.T) {
	for partition, want := range map[string]string{
		"aws": "signin.aws.amazon.com", "aws-cn": "signin.amazonaws.cn", "aws-us-gov": "signin.amazonaws-us-gov.com",
		"aws-iso": "us-iso-east-1.signin.c2shome.ic.gov", "aws-iso-b": "us-isob-east-1.signin.sc2shome.sgov.gov",
		"aws-iso-e": "eu-isoe-west-1.signin.csphome.adc-e.uk", "aws-iso-f": "us-isof-south-1.signin.csphome.hci.ic.gov",
		"aws-eusc": "eusc-de-east-1.signin.amazonaws-eusc.eu",
	} {
		s := provider.ConsoleSignin{Partition: partition}
		link, err := s.URL("TOKEN", "https://x/?a=b&c")
		u, perr := url.Parse(link)
		if err != nil || perr != nil || u.Host != want || u.Path != "/federation" || u.Query().Get("Destination") != "https://x/?a=b&c" || u.Query().Get("SigninToken") != "TOKEN" {
			t.Errorf("%s: %s, %v", partition, link, err)
		}
		out, err := s.SignOutFirst(link)
		if u, perr := url.Parse(out); err != nil || perr != nil || u.Host != want || u.Query().Get("redirect_uri") != link {
			t.Errorf("%s: %s, %v", partition, out, err)
		}
	}
	if _, err := (provider.ConsoleSignin{Partition: "aws-moon"}).URL("t", "d"); !errors.Is(err, profile.ErrUnsupported) {
		t.Errorf("unknown partition: %v", err)
	}
}

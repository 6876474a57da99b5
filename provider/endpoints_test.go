package provider_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"groat/provider"
	"groat/provider/profile"
	"groat/session"
	"groat/session/flight"
)

// recorder stands where the network is: it notes where a call would go and
// for which region it is signed, and refuses it.
type recorder struct{ seen string }

var signedFor = regexp.MustCompile(`Credential=[^/]+/\d+/([^/]+)/`)

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.seen = req.URL.Scheme + "://" + req.URL.Host
	if m := signedFor.FindStringSubmatch(req.Header.Get("Authorization")); m != nil {
		r.seen += ", signed for " + m[1]
	}
	return &http.Response{StatusCode: 400, Header: http.Header{}, Request: req, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

// anyToken is a store with a sign-in for whoever asks; noToken has none.
type anyToken struct{ memoryStore }

func (*anyToken) Get(context.Context, string) ([]byte, error) {
	return []byte(`{"access_token":"t","expires":"2999-01-01T00:00:00Z"}`), nil
}

type silentSignIn struct{}

func (silentSignIn) LocalBrowser(provider.SignInRequest) (bool, error) { return false, nil }
func (silentSignIn) Callback(context.Context, string, string) (*provider.Callback, error) {
	return nil, provider.ErrCancelled
}
func (silentSignIn) Paste(context.Context, provider.SignInRequest) (string, error) {
	return "", provider.ErrCancelled
}
func (silentSignIn) Show(context.Context, provider.SignInRequest) error { return provider.ErrCancelled }

// whereCallsGo says for each service where a profile's calls go.
func whereCallsGo(t *testing.T, config string, getenv func(string) string) string {
	t.Helper()
	c, err := profile.Load(profile.LoadOptions{ConfigFile: "config", ReadFile: func(string) ([]byte, error) { return []byte(config), nil }})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Resolve("p", profile.ResolveOptions{HoldsKey: func(string) (bool, error) { return true, nil }, Getenv: getenv})
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{}
	client := &http.Client{Transport: rec}
	o := provider.CallOptions{Profile: "p", Region: r.Source.Region, Endpoints: r.Source.Endpoints, HTTP: client}
	creds := session.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s"}
	identityCenter := func(tokens session.Store) error {
		sso := &profile.Resolved{Name: "p", Profile: "p", Source: profile.Source{
			Kind: profile.SourceSSO, Profile: "p", Endpoints: r.Source.Endpoints,
			SSO: &profile.SSO{Session: "s", StartURL: "https://x.awsapps.com/start", Region: r.Source.Region, AccountID: account, RoleName: "Dev"},
		}}
		p, err := provider.NewPlan(sso, nil, provider.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := &provider.Minter{HTTP: client, Tokens: tokens, SignIn: silentSignIn{}, Cache: &session.Cache{Store: &memoryStore{items: map[string][]byte{}}, Flight: flight.Group{Dir: filepath.Join(t.TempDir(), "locks")}}}
		_, err = m.Credentials(t.Context(), p)
		return err
	}
	var b strings.Builder
	for _, s := range []struct {
		name string
		call func() error
	}{
		{"sts", func() error { _, err := provider.CallerIdentity(t.Context(), o, creds); return err }},
		{"iam", func() error { _, err := provider.MFADevices(t.Context(), o, creds); return err }},
		{"sso", func() error { return identityCenter(&anyToken{}) }},
		{"sso-oidc", func() error { return identityCenter(&memoryStore{items: map[string][]byte{}}) }},
	} {
		rec.seen = ""
		err := s.call()
		if rec.seen == "" {
			rec.seen = "refused: " + err.Error()
		}
		fmt.Fprintf(&b, "  %-9s %s\n", s.name, rec.seen)
	}
	return b.String()
}

func TestWhereCallsGo(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Where each service is called: written by TestWhereCallsGo with -update, from what reached a recording\n# transport under the SDK's clients.\n")
	show := func(title, config string, pairs ...string) {
		fmt.Fprintf(&b, "\n%s\n%s", title, whereCallsGo(t, "[profile p]\n"+config, env(pairs...)))
	}
	for _, region := range []string{"us-east-1", "eu-west-1", "ap-southeast-5", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1"} {
		show(region, "region = "+region)
	}
	show("FIPS", "region = us-east-1\nuse_fips_endpoint = true")
	show("FIPS in GovCloud", "region = us-gov-west-1\nuse_fips_endpoint = true")
	show("FIPS by the environment", "region = us-east-2", "AWS_USE_FIPS_ENDPOINT", "true")
	show("dual-stack", "region = eu-west-1\nuse_dualstack_endpoint = true")
	show("dual-stack by the environment", "region = cn-north-1", "AWS_USE_DUALSTACK_ENDPOINT", "true")
	show("FIPS and dual-stack", "region = us-west-2\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true")
	show("legacy STS", "region = eu-west-1\nsts_regional_endpoints = legacy")
	show("legacy STS in a newer region", "region = eu-south-1\nsts_regional_endpoints = legacy")
	show("legacy STS by the environment, against the file", "region = eu-west-1\nsts_regional_endpoints = regional", "AWS_STS_REGIONAL_ENDPOINTS", "legacy")
	show("legacy STS with FIPS", "region = us-east-1\nsts_regional_endpoints = legacy\nuse_fips_endpoint = true")
	show("endpoint_url", "region = eu-west-1\nendpoint_url = https://all.example")
	show("endpoint_url with dual-stack", "region = eu-west-1\nendpoint_url = https://all.example\nuse_dualstack_endpoint = true")
	show("endpoint_url with FIPS", "region = us-east-1\nendpoint_url = https://all.example\nuse_fips_endpoint = true")
	show("services section over endpoint_url", "region = eu-west-1\nendpoint_url = https://all.example\nservices = mine\n[services mine]\nsts =\n  endpoint_url = https://sts.example\niam =\n  endpoint_url = https://iam.example:8443/path")
	show("AWS_ENDPOINT_URL over the files", "region = eu-west-1\nservices = mine\n[services mine]\nsts =\n  endpoint_url = https://sts.example", "AWS_ENDPOINT_URL", "https://env.example")
	show("AWS_ENDPOINT_URL_… over AWS_ENDPOINT_URL", "region = eu-west-1", "AWS_ENDPOINT_URL", "https://env.example",
		"AWS_ENDPOINT_URL_STS", "https://env-sts.example", "AWS_ENDPOINT_URL_SSO", "https://env-sso.example", "AWS_ENDPOINT_URL_SSO_OIDC", "https://env-oidc.example", "AWS_ENDPOINT_URL_IAM", "https://env-iam.example")
	show("ignore_configured_endpoint_urls", "region = eu-west-1\nignore_configured_endpoint_urls = true\nendpoint_url = https://all.example", "AWS_ENDPOINT_URL", "https://env.example")
	show("unusable endpoint_url", "region = eu-west-1\nendpoint_url = sts.example")
	compareGolden(t, "endpoints.golden", b.String())
}

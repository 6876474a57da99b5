package ststest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"groat/provider/ststest"
)

const (
	startURL     = "https://acme.awsapps.com/start"
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	redirect     = "http://127.0.0.1/oauth/callback"
)

func (w *world) oidc() *ssooidc.Client {
	return ssooidc.New(ssooidc.Options{Region: "eu-west-1", BaseEndpoint: &w.URL, Retryer: aws.NopRetryer{}})
}

func (w *world) portal() *sso.Client {
	return sso.New(sso.Options{Region: "eu-west-1", BaseEndpoint: &w.URL, Retryer: aws.NopRetryer{}})
}

func newSSO(t *testing.T, grants ...string) (*world, *ssooidc.RegisterClientOutput) {
	t.Helper()
	w := newWorld(t)
	w.AddSSO(startURL, ststest.Assignment{Account: account, AccountName: "Main", Role: "Admin"}, ststest.Assignment{Account: "210987654321", AccountName: "Other", Role: "Reader"})
	c, err := w.oidc().RegisterClient(t.Context(), &ssooidc.RegisterClientInput{ClientName: aws.String("groat"), ClientType: aws.String("public"),
		Scopes: []string{"sso:account:access"}, GrantTypes: grants, RedirectUris: []string{redirect}})
	granted(t, err)
	return w, c
}

func (w *world) token(t *testing.T, c *ssooidc.RegisterClientOutput, grant string, set func(*ssooidc.CreateTokenInput)) (*ssooidc.CreateTokenOutput, error) {
	t.Helper()
	in := &ssooidc.CreateTokenInput{ClientId: c.ClientId, ClientSecret: c.ClientSecret, GrantType: &grant}
	set(in)
	return w.oidc().CreateToken(t.Context(), in)
}

func TestDeviceGrant(t *testing.T) {
	w, c := newSSO(t, grantDevice, grantRefresh)
	start := func() *ssooidc.StartDeviceAuthorizationOutput {
		out, err := w.oidc().StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{ClientId: c.ClientId, ClientSecret: c.ClientSecret, StartUrl: aws.String(startURL)})
		granted(t, err)
		return out
	}
	poll := func(d *ssooidc.StartDeviceAuthorizationOutput) (*ssooidc.CreateTokenOutput, error) {
		return w.token(t, c, grantDevice, func(in *ssooidc.CreateTokenInput) { in.DeviceCode = d.DeviceCode })
	}
	d := start()
	_, err := poll(d)
	refused(t, err, "AuthorizationPendingException", "")
	_, err = poll(d)
	refused(t, err, "SlowDownException", "")
	w.clock.add(5 * time.Second)
	if !w.DecideSSO(*d.UserCode, true) {
		t.Fatal("no such code")
	}
	token, err := poll(d)
	granted(t, err)
	w.clock.add(5 * time.Second)
	_, err = poll(d)
	refused(t, err, "InvalidGrantException", "")

	got, err := w.portal().GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token.AccessToken, AccountId: aws.String(account), RoleName: aws.String("Admin")})
	granted(t, err)
	id, err := w.sts(provider(*got.RoleCredentials.AccessKeyId, *got.RoleCredentials.SecretAccessKey, *got.RoleCredentials.SessionToken)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	if !strings.HasPrefix(*id.Arn, "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_") {
		t.Error(*id.Arn)
	}
	if left := time.UnixMilli(got.RoleCredentials.Expiration).Sub(w.clock.now()); left > time.Hour || left < 59*time.Minute {
		t.Errorf("expires in %s", left)
	}
	_, err = w.portal().GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token.AccessToken, AccountId: aws.String(account), RoleName: aws.String("Reader")})
	refused(t, err, "ForbiddenException", "")
	accounts, err := w.portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token.AccessToken})
	granted(t, err)
	roles, err := w.portal().ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: token.AccessToken, AccountId: aws.String(account)})
	granted(t, err)
	if len(accounts.AccountList) != 2 || len(roles.RoleList) != 1 || *roles.RoleList[0].RoleName != "Admin" {
		t.Errorf("%v %v", accounts.AccountList, roles.RoleList)
	}

	w.clock.add(time.Hour)
	_, err = w.portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token.AccessToken})
	refused(t, err, "UnauthorizedException", "")
	refresh := func() (*ssooidc.CreateTokenOutput, error) {
		return w.token(t, c, grantRefresh, func(in *ssooidc.CreateTokenInput) { in.RefreshToken = token.RefreshToken })
	}
	renewed, err := refresh()
	granted(t, err)
	_, err = w.portal().ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: renewed.AccessToken})
	granted(t, err)
	_, err = refresh()
	refused(t, err, "InvalidGrantException", "") // once only
	token = renewed
	w.ExpireSSOTokens(true)
	_, err = refresh()
	refused(t, err, "InvalidGrantException", "")

	d = start()
	w.DecideSSO(*d.UserCode, false)
	_, err = poll(d)
	refused(t, err, "AccessDeniedException", "")
	d = start()
	w.clock.add(11 * time.Minute)
	_, err = poll(d)
	refused(t, err, "ExpiredTokenException", "")

	w.AutoApproveSSO(true)
	_, err = poll(start())
	granted(t, err)
	w.clock.add(91 * 24 * time.Hour)
	_, err = w.oidc().StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{ClientId: c.ClientId, ClientSecret: c.ClientSecret, StartUrl: aws.String(startURL)})
	refused(t, err, "InvalidClientException", "")
}

func TestAuthorizationCodeGrant(t *testing.T) {
	w, c := newSSO(t, grantCode, grantRefresh)
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	back := "http://127.0.0.1:54321/oauth/callback"
	authorize := func(change func(url.Values)) (int, url.Values) {
		q := url.Values{"response_type": {"code"}, "client_id": {*c.ClientId}, "redirect_uri": {back}, "state": {"s t"},
			"code_challenge_method": {"S256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "scopes": {"sso:account:access"}}
		if change != nil {
			change(q)
		}
		resp, err := browser.Get(w.URL + "/authorize?" + q.Encode())
		granted(t, err)
		_ = resp.Body.Close()
		to, err := url.Parse(resp.Header.Get("Location"))
		granted(t, err)
		return resp.StatusCode, to.Query()
	}
	redeem := func(code, verifier, redirect string) error {
		_, err := w.token(t, c, grantCode, func(in *ssooidc.CreateTokenInput) {
			in.Code, in.CodeVerifier, in.RedirectUri = &code, &verifier, &redirect
		})
		return err
	}
	status, q := authorize(nil)
	if status != http.StatusFound || q.Get("state") != "s t" {
		t.Fatalf("%d %v", status, q)
	}
	refused(t, redeem(q.Get("code"), strings.Repeat("w", 43), back), "InvalidGrantException", "")
	refused(t, redeem(q.Get("code"), verifier, redirect), "InvalidGrantException", "")
	granted(t, redeem(q.Get("code"), verifier, back))
	refused(t, redeem(q.Get("code"), verifier, back), "InvalidGrantException", "")
	for name, change := range map[string]func(url.Values){
		"foreign redirect": func(q url.Values) { q.Set("redirect_uri", "https://evil.example/") },
		"other path":       func(q url.Values) { q.Set("redirect_uri", "http://127.0.0.1:1/other") },
		"no challenge":     func(q url.Values) { q.Del("code_challenge") },
		"plain challenge":  func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"no state":         func(q url.Values) { q.Del("state") },
		"unknown client":   func(q url.Values) { q.Set("client_id", "x") },
	} {
		if status, _ := authorize(change); status < 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	_, err := w.oidc().StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{ClientId: c.ClientId, ClientSecret: c.ClientSecret, StartUrl: aws.String(startURL)})
	refused(t, err, "UnauthorizedClientException", "")
}

func TestRegistrationIsChecked(t *testing.T) {
	w, _ := newSSO(t)
	register := func(kind string, grants, redirects []string) error {
		_, err := w.oidc().RegisterClient(t.Context(), &ssooidc.RegisterClientInput{ClientName: aws.String("x"), ClientType: &kind, GrantTypes: grants, RedirectUris: redirects})
		return err
	}
	refused(t, register("secret", nil, nil), "InvalidClientMetadataException", "")
	refused(t, register("public", []string{"password"}, nil), "UnsupportedGrantTypeException", "")
	refused(t, register("public", []string{grantCode}, nil), "InvalidRedirectUriException", "")
	refused(t, register("public", []string{grantCode}, []string{"https://evil.example/"}), "InvalidRedirectUriException", "")
}

func TestSignin(t *testing.T) {
	w := newWorld(t)
	ask := func(id, secret, token, duration string) (int, string) {
		session, err := json.Marshal(map[string]string{"sessionId": id, "sessionKey": secret, "sessionToken": token})
		granted(t, err)
		q := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
		if duration != "" {
			q.Set("SessionDuration", duration)
		}
		resp, err := http.PostForm(w.URL+"/federation", q)
		granted(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		granted(t, err)
		var out struct{ SigninToken string }
		_ = json.Unmarshal(body, &out)
		return resp.StatusCode, out.SigninToken
	}
	role, err := w.role(t, w.own(), nil)
	granted(t, err)
	chained, err := w.role(t, of(role.Credentials), nil)
	granted(t, err)
	session := w.session(t, true)
	for _, row := range []struct {
		name              string
		id, secret, token string
		duration          string
		status            int
	}{
		{"role", *role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken, "43200", 200},
		{"role, too long", *role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken, "43201", 400},
		{"role, too short", *role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken, "899", 400},
		{"chained role", *chained.Credentials.AccessKeyId, *chained.Credentials.SecretAccessKey, *chained.Credentials.SessionToken, "", 200},
		{"chained role with a duration", *chained.Credentials.AccessKeyId, *chained.Credentials.SecretAccessKey, *chained.Credentials.SessionToken, "3600", 400},
		{"session", *session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken, "", 400},
		{"long-lived key", w.key.ID, w.key.Secret, "", "", 400},
		{"wrong secret", *role.Credentials.AccessKeyId, "x", *role.Credentials.SessionToken, "", 400},
	} {
		if status, _ := ask(row.id, row.secret, row.token, row.duration); status != row.status {
			t.Errorf("%s: %d", row.name, status)
		}
	}
	w.AllowSessionSignin(true)
	if status, _ := ask(*session.AccessKeyId, *session.SecretAccessKey, *session.SessionToken, ""); status != 200 {
		t.Errorf("session: %d", status)
	}
	_, token := ask(*role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken, "7200")
	arn, d, ok := w.SigninIdentity(token)
	if arn != "arn:aws:sts::123456789012:assumed-role/admin/alice" || d != 2*time.Hour || !ok {
		t.Error(arn, d, ok)
	}
	w.clock.add(15 * time.Minute)
	if _, _, ok := w.SigninIdentity(token); ok {
		t.Error("the link outlived a quarter of an hour")
	}
}

func TestInstanceAndContainer(t *testing.T) {
	w := newWorld(t)
	w.SetInstanceRole(admin, time.Hour)
	c := imds.New(imds.Options{Endpoint: w.URL, EnableFallback: aws.FalseTernary})
	out, err := c.GetMetadata(t.Context(), &imds.GetMetadataInput{Path: "iam/security-credentials/admin"})
	granted(t, err)
	var got struct{ AccessKeyID, SecretAccessKey, Token string }
	granted(t, json.NewDecoder(out.Content).Decode(&got))
	_, err = w.sts(provider(got.AccessKeyID, got.SecretAccessKey, got.Token)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	resp, err := http.Get(w.URL + "/latest/meta-data/iam/security-credentials/")
	granted(t, err)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("version 1 was answered: %d", resp.StatusCode)
	}

	uri, token := w.SetContainerRole(admin, time.Hour)
	creds, err := endpointcreds.New(uri, func(o *endpointcreds.Options) { o.AuthorizationToken = token }).Retrieve(t.Context())
	granted(t, err)
	_, err = w.sts(provider(creds.AccessKeyID, creds.SecretAccessKey, creds.SessionToken)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	if _, err = endpointcreds.New(uri, func(o *endpointcreds.Options) { o.AuthorizationToken = token + "x"; o.Retryer = aws.NopRetryer{} }).Retrieve(t.Context()); err == nil {
		t.Error("a wrong token was taken")
	}
}

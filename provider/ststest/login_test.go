package ststest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// loginClient forms requests to AWS Sign-In in the test's own way, so that
// each part can be wrong by itself.
type loginClient struct {
	*world
	key *ecdsa.PrivateKey
}

func newLogin(t *testing.T) loginClient {
	w := newWorld(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	granted(t, err)
	return loginClient{w, key}
}

const (
	sameDevice  = "arn:aws:signin:::devtools/same-device"
	crossDevice = "arn:aws:signin:::devtools/cross-device"
	verifier    = "0123456789-abcdefghijklmnopqrstuvwxyz.~_ABCDEFG"
	callback    = "http://127.0.0.1:4711/oauth/callback"
)

func (c loginClient) query() url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{"response_type": {"code"}, "client_id": {sameDevice}, "state": {"s"}, "scope": {"openid"}, "redirect_uri": {callback},
		"code_challenge_method": {"SHA-256"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
}

// authorize gives the status and where the browser is sent.
func (c loginClient) authorize(t *testing.T, q url.Values) (int, url.Values) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(c.URL + "/v1/authorize?" + q.Encode())
	granted(t, err)
	_ = resp.Body.Close()
	u, err := url.Parse(resp.Header.Get("Location"))
	granted(t, err)
	return resp.StatusCode, u.Query()
}

type proofParts struct {
	header, jwk, claims map[string]any
	twice, unsigned     bool
}

func (c loginClient) parts(id string) proofParts {
	point, _ := c.key.PublicKey.Bytes()
	b64 := base64.RawURLEncoding.EncodeToString
	return proofParts{
		header: map[string]any{"typ": "dpop+jwt", "alg": "ES256"},
		jwk:    map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
		claims: map[string]any{"jti": "0123456789abcdef" + id, "htm": "POST", "htu": c.URL + "/v1/token", "iat": time.Now().Unix()},
	}
}

func (c loginClient) token(t *testing.T, in map[string]string, p proofParts) (int, map[string]any) {
	t.Helper()
	p.header["jwk"] = p.jwk
	encode := func(v any) string {
		b, err := json.Marshal(v)
		granted(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	text := encode(p.header) + "." + encode(p.claims)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, c.key, digest[:])
	granted(t, err)
	signature := make([]byte, 64)
	if !p.unsigned {
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
	}
	body, err := json.Marshal(in)
	granted(t, err)
	req, err := http.NewRequest(http.MethodPost, c.URL+"/v1/token", strings.NewReader(string(body)))
	granted(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Add("DPoP", text+"."+base64.RawURLEncoding.EncodeToString(signature))
	if p.twice {
		req.Header.Add("DPoP", "x")
	}
	resp, err := http.DefaultClient.Do(req)
	granted(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	granted(t, err)
	out := map[string]any{}
	granted(t, json.Unmarshal(data, &out))
	return resp.StatusCode, out
}

func (c loginClient) codeInput(code string) map[string]string {
	return map[string]string{"clientId": sameDevice, "grantType": grantCode, "code": code, "codeVerifier": verifier, "redirectUri": callback}
}

func TestLoginAuthorizeIsStrict(t *testing.T) {
	c := newLogin(t)
	if status, _ := c.authorize(t, c.query()); status != 401 {
		t.Errorf("nobody is signed in: %d", status)
	}
	c.SignInAs(c.alice.ARN)
	for name, wrong := range map[string][2]string{
		"client": {"client_id", "arn:aws:signin:::devtools/other"}, "plain challenge": {"code_challenge", verifier}, "method": {"code_challenge_method", "S256"},
		"scope": {"scope", "sso"}, "no state": {"state", ""}, "type": {"response_type", "token"},
		"remote redirect": {"redirect_uri", "http://192.0.2.1/oauth/callback"}, "other path": {"redirect_uri", "http://127.0.0.1:1/x"}, "padded": {"code_challenge", c.query().Get("code_challenge") + "="},
	} {
		q := c.query()
		q.Set(wrong[0], wrong[1])
		if status, _ := c.authorize(t, q); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	q := c.query()
	q.Set("client_id", crossDevice)
	if status, _ := c.authorize(t, q); status != 400 {
		t.Errorf("the other client on loopback: %d", status)
	}
	q.Set("redirect_uri", c.URL+"/v1/sessions/confirmation")
	if status, back := c.authorize(t, q); status != 302 || back.Get("code") == "" || back.Get("state") != "s" {
		t.Errorf("%d, %v", status, back)
	}
	c.DeclineSignIn()
	if status, back := c.authorize(t, c.query()); status != 302 || back.Get("error") != "access_denied" || back.Get("code") != "" {
		t.Errorf("%d, %v", status, back)
	}
}

func TestLoginProofsAreStrict(t *testing.T) {
	c := newLogin(t)
	c.SignInAs(c.alice.ARN)
	_, back := c.authorize(t, c.query())
	in := c.codeInput(back.Get("code"))
	for name, spoil := range map[string]func(*proofParts){
		"type": func(p *proofParts) { p.header["typ"] = "JWT" }, "algorithm": func(p *proofParts) { p.header["alg"] = "none" },
		"short x": func(p *proofParts) { p.jwk["x"] = p.jwk["x"].(string)[:42] }, "padded y": func(p *proofParts) { p.jwk["y"] = p.jwk["y"].(string) + "=" },
		"private key": func(p *proofParts) { p.jwk["d"] = "x" }, "off the curve": func(p *proofParts) { p.jwk["x"] = strings.Repeat("A", 43) },
		"method": func(p *proofParts) { p.claims["htm"] = "GET" }, "url": func(p *proofParts) { p.claims["htu"] = "https://example/v1/token" },
		"old": func(p *proofParts) { p.claims["iat"] = time.Now().Add(-6 * time.Minute).Unix() }, "no id": func(p *proofParts) { delete(p.claims, "jti") },
		"unsigned": func(p *proofParts) { p.unsigned = true }, "two": func(p *proofParts) { p.twice = true },
	} {
		p := c.parts(name)
		spoil(&p)
		if status, out := c.token(t, in, p); status != 400 || out["error"] != "INVALID_REQUEST" {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	if status, out := c.token(t, in, c.parts("good")); status != 200 {
		t.Fatalf("%d %v", status, out)
	}
	_, back = c.authorize(t, c.query())
	if status, out := c.token(t, c.codeInput(back.Get("code")), c.parts("good")); status != 400 {
		t.Errorf("a proof was taken twice: %d %v", status, out)
	}
}

func TestLoginTokensAreStrict(t *testing.T) {
	c := newLogin(t)
	c.SignInAs(c.alice.ARN)
	code := func() string { _, back := c.authorize(t, c.query()); return back.Get("code") }
	n := 0
	call := func(in map[string]string) (int, map[string]any) {
		n++
		return c.token(t, in, c.parts(strings.Repeat("n", n)))
	}
	for name, wrong := range map[string][2]string{
		"verifier": {"codeVerifier", strings.Repeat("x", 43)}, "client": {"clientId", crossDevice}, "redirect": {"redirectUri", "http://127.0.0.1:1/oauth/callback"}, "grant": {"grantType", "x"},
	} {
		in := c.codeInput(code())
		in[wrong[0]] = wrong[1]
		if status, out := call(in); status != 400 {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	in := c.codeInput(code())
	status, first := call(in)
	if status != 200 || first["tokenType"] != "aws_sigv4" || first["expiresIn"] != 900.0 || first["idToken"] == nil {
		t.Fatalf("%d %v", status, first)
	}
	if status, out := call(in); status != 401 || out["error"] != "AUTHCODE_EXPIRED" {
		t.Errorf("a code was taken twice: %d %v", status, out)
	}
	refresh := map[string]string{"clientId": sameDevice, "grantType": grantRefresh, "refreshToken": first["refreshToken"].(string)}
	other := c
	other.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if status, out := other.token(t, refresh, other.parts("other key")); status != 400 {
		t.Errorf("another key: %d %v", status, out)
	}
	c.ForbidSignIn(true)
	forbidden := maps.Clone(refresh)
	if status, out := call(c.codeInput(code())); status != 403 || out["error"] != "INSUFFICIENT_PERMISSIONS" {
		t.Errorf("%d %v", status, out)
	}
	c.ForbidSignIn(false)
	status, second := call(forbidden)
	if status != 200 || second["idToken"] != nil || second["refreshToken"] == first["refreshToken"] {
		t.Fatalf("%d %v", status, second)
	}
	if status, out := call(refresh); status != 401 || out["error"] != "TOKEN_EXPIRED" {
		t.Errorf("a refresh token was taken twice: %d %v", status, out)
	}
	refresh["refreshToken"] = second["refreshToken"].(string)
	c.ChangePassword(true)
	if status, out := call(refresh); status != 403 || out["error"] != "USER_CREDENTIALS_CHANGED" {
		t.Errorf("%d %v", status, out)
	}
}

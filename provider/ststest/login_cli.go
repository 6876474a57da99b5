package ststest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"time"
)

// CLILogin signs an identity in as `aws login` of the AWS CLI does, and gives
// the name and content of the file that it leaves in ~/.aws/login/cache.
func (s *Server) CLILogin(arn string) (name string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	must := func(err error) {
		if err != nil {
			panic(err) // of the standard library's own keys
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	der, err := x509.MarshalECPrivateKey(key)
	must(err)
	point, err := key.PublicKey.Bytes()
	must(err)
	encode := base64.RawURLEncoding.EncodeToString
	thumb := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + encode(point[1:33]) + `","y":"` + encode(point[33:]) + `"}`))
	g := &loginGrant{arn: arn, client: clientSameDevice, thumbprint: encode(thumb[:]), expires: s.now().Add(loginSession)}
	refresh := randomText(600, base64Chars[:62])
	s.login.refresh[refresh] = g
	who, _ := s.loginPrincipal(arn)
	c := s.issue(who, nil, loginCredentials)
	content, err = json.Marshal(map[string]any{
		"accessToken": map[string]string{
			"accessKeyId": c.id, "secretAccessKey": c.secret, "sessionToken": c.token, "accountId": who.account,
			"expiresAt": s.now().Add(loginCredentials).UTC().Format(time.RFC3339),
		},
		"tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4", "clientId": g.client, "refreshToken": refresh, "idToken": idToken(g, s.now()),
		"dpopKey": string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})),
	})
	must(err)
	sum := sha256.Sum256([]byte(arn))
	return hex.EncodeToString(sum[:]) + ".json", content
}

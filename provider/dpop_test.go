package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
)

// One key in 128 has a coordinate that begins with a zero byte: it is written
// in full all the same, and so is a signature.
func TestProofsAreOfFullLength(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	short := 0
	ids := map[string]bool{}
	for tries := 0; short < 2; tries++ {
		if tries > 100_000 {
			t.Fatal("no key with a short coordinate")
		}
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] != 0 && point[33] != 0 {
			continue
		}
		short++
		proof, err := proofOf(key, "POST", "https://example/v1/token", now)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(proof, ".")
		var head struct {
			Typ, Alg string
			Jwk      struct{ Kty, Crv, X, Y string }
		}
		var claims struct {
			Jti, Htm, Htu string
			Iat           int64
		}
		for i, into := range []any{&head, &claims} {
			b, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil || json.Unmarshal(b, into) != nil {
				t.Fatalf("part %d: %s, %v", i, b, err)
			}
		}
		if head.Typ != "dpop+jwt" || head.Alg != "ES256" || head.Jwk.Kty != "EC" || head.Jwk.Crv != "P-256" || len(head.Jwk.X) != 43 || len(head.Jwk.Y) != 43 {
			t.Errorf("header %+v", head)
		}
		if claims.Htm != "POST" || claims.Htu != "https://example/v1/token" || claims.Iat != now.Unix() || ids[claims.Jti] {
			t.Errorf("claims %+v", claims)
		}
		ids[claims.Jti] = true
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err != nil || len(signature) != 64 || !ecdsa.Verify(&key.PublicKey, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			t.Errorf("signature of %d bytes, %v", len(signature), err)
		}
	}
}

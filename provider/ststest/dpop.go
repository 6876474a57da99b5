package ststest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// proofAge is how far a proof's time may be from the server's.
const proofAge = 5 * time.Minute

// proof checks the DPoP header (RFC 9449 section 4.3) and gives the
// thumbprint (RFC 7638) of its key, or why the proof is none.
func (s *Server) proof(x *exchange) (thumbprint, why string) {
	headers := x.r.Header.Values("DPoP")
	if len(headers) != 1 {
		return "", fmt.Sprintf("%d headers", len(headers))
	}
	parts := strings.Split(headers[0], ".")
	if len(parts) != 3 {
		return "", "it is no JWT"
	}
	var head struct {
		Typ, Alg string
		Jwk      map[string]string
	}
	var claims struct {
		Jti, Htm, Htu string
		Iat           int64
	}
	decodePart := func(part string, into any) bool {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		return err == nil && json.Unmarshal(b, into) == nil
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	switch {
	case !decodePart(parts[0], &head), !decodePart(parts[1], &claims), err != nil:
		return "", "it is not well-formed"
	case head.Typ != "dpop+jwt", head.Alg != "ES256", head.Jwk["kty"] != "EC", head.Jwk["crv"] != "P-256", head.Jwk["d"] != "":
		return "", "typ, alg or jwk"
	case claims.Htm != x.r.Method, claims.Htu != x.base()+x.r.URL.Path:
		return "", "htm or htu"
	case time.Duration(s.now().Unix()-claims.Iat).Abs()*time.Second > proofAge:
		return "", "iat"
	case len(claims.Jti) < 16 || s.login.proofs[claims.Jti]:
		return "", "jti"
	case len(signature) != 64:
		return "", "the signature's length"
	}
	point := []byte{4} // uncompressed: x and y follow
	for _, name := range []string{"x", "y"} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(head.Jwk[name])
		if err != nil || len(b) != 32 { // RFC 7518 section 6.2.1.2: the full size of a coordinate
			return "", "the coordinate " + name
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return "", "a point off the curve"
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return "", "the signature"
	}
	s.login.proofs[claims.Jti] = true
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + head.Jwk["x"] + `","y":"` + head.Jwk["y"] + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:]), ""
}

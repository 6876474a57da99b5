package provider

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// coordinate is the size of a P-256 coordinate and of each half of a
// signature, in bytes. Shorter numbers are padded (RFC 7518 sections 3.4 and
// 6.2.1.2): one key in 128 has one.
const coordinate = 32

// proofOf is a DPoP proof (RFC 9449 section 4.2) that whoever makes this
// request holds the key. Each is good for one request.
func proofOf(key *ecdsa.PrivateKey, method, url string, now time.Time) (string, error) {
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	header, err := json.Marshal(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": map[string]string{
		"kty": "EC", "crv": "P-256", "x": encode(point[1 : 1+coordinate]), "y": encode(point[1+coordinate:]),
	}})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"jti": rand.Text(), "htm": method, "htu": url, "iat": now.Unix()})
	if err != nil {
		return "", err
	}
	text := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 2*coordinate)
	r.FillBytes(signature[:coordinate])
	s.FillBytes(signature[coordinate:])
	return text + "." + encode(signature), nil
}

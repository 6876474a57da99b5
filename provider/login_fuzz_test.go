package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"groat/provider/ststest"
)

// What a person pastes is a code with its state, however it was wrapped, or
// nothing.
func FuzzPastedCode(f *testing.F) {
	for _, s := range []string{"", "c3RhdGU9YSZjb2RlPWI=", "c3RhdGU9\nYSZjb2Rl PWI", "state=a&code=b", "====", "Y29kZT0lZmY"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, state := PastedCode(text)
		half := len(text) / 2
		if c, s := PastedCode(" " + text[:half] + "\n" + text[half:] + "\t"); c != code || s != state {
			t.Fatalf("%q: %q %q, and wrapped %q %q", text, code, state, c, s)
		}
	})
}

// A file of the AWS CLI's cache is a sign-in of the profile's identity that
// can be renewed, or an error that quotes nothing of it.
func FuzzParseCLILogin(f *testing.F) {
	server := ststest.New(ststest.Options{})
	const arn = "arn:aws:iam::123456789012:user/myusername"
	server.AddUser("123456789012", "myusername")
	_, whole := server.CLILogin(arn)
	f.Add(whole)
	f.Add([]byte(strings.Replace(string(whole), "refreshToken", "refresh", 1)))
	f.Add([]byte(`{"refreshToken":"secret-word","clientId":"arn:aws:signin:::devtools/same-device","dpopKey":"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseCLILogin(data, arn)
		var file struct{ RefreshToken, DpopKey string }
		_ = json.Unmarshal(data, &file)
		switch {
		case err == nil && (got.token.ARN != arn || got.token.RefreshToken == "" || len(got.token.Key) == 0 || got.token.Client == ""):
			t.Fatalf("half a sign-in was taken: %+v", got.token)
		case err != nil && (len(file.RefreshToken) > 8 && strings.Contains(err.Error(), file.RefreshToken) || len(file.DpopKey) > 8 && strings.Contains(err.Error(), file.DpopKey)):
			t.Fatalf("the error quotes the file: %v", err)
		}
	})
}

// A proof is whole for every key: the coordinates and the signature's halves
// have their full length, and the signature is the key's.
func FuzzProofOf(f *testing.F) {
	f.Add([]byte{1}, "https://eu-west-1.signin.aws.amazon.com/v1/token")
	f.Add([]byte{0, 0, 99}, "")
	f.Add([]byte(strings.Repeat("\x7f", 32)), "https://x/\"\\\x00")
	f.Fuzz(func(t *testing.T, seed []byte, url string) {
		sum := sha256.Sum256(seed)
		key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
		if err != nil {
			t.Skip("not a scalar of the curve")
		}
		proof, err := proofOf(key, "POST", url, time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(proof, ".")
		var head struct{ Jwk struct{ X, Y string } }
		decode := func(s string) []byte {
			b, err := base64.RawURLEncoding.Strict().DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		if err := json.Unmarshal(decode(parts[0]), &head); err != nil {
			t.Fatal(err)
		}
		signature := decode(parts[2])
		if len(decode(head.Jwk.X)) != 32 || len(decode(head.Jwk.Y)) != 32 || len(signature) != 64 {
			t.Fatalf("not padded: %s", proof)
		}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if !ecdsa.Verify(&key.PublicKey, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			t.Fatal("the signature is not the key's")
		}
	})
}

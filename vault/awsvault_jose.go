package vault

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The JOSE items of aws-vault's file backend are compact JWEs (RFC 7516).
// Which algorithm opens one is said by the item itself, that is by whoever
// wrote it: a token that claims to be signed under HS256 with an empty
// signature must not be read as one. So the header is checked here, before
// any key derivation, and only what that backend writes is let through.
const (
	joseAlg = "PBES2-HS256+A128KW"
	joseEnc = "A256GCM"
	// Iterations of PBKDF2 (RFC 7518, section 4.8.1.2): 1,000 is that
	// section's minimum; the maximum bounds the work a forged item can ask for.
	minP2C, maxP2C = 1_000, 1_300_000
	maxJOSE        = 1 << 20 // bytes of an item's file
)

// checkJOSE accepts exactly the tokens that PBES2-HS256+A128KW with A256GCM
// gives: five parts, no compression, iterations in bounds, and lengths as
// they must be.
func checkJOSE(token []byte) error {
	refuse := func(why string) error { return because(ErrCorrupt, "%s", why) }
	parts := strings.Split(string(token), ".")
	if len(parts) != 5 {
		return refuse("it is not an encrypted JOSE item")
	}
	raw := make([][]byte, len(parts))
	for i, p := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.Strict().DecodeString(p); err != nil || strings.ContainsAny(p, "\r\n") {
			return refuse("it is not a JOSE item")
		}
	}
	h, err := uniqueMembers(raw[0])
	if err != nil {
		return refuse("its JOSE header is malformed")
	}
	for name := range h {
		switch name {
		case "alg", "enc", "p2c", "p2s", "created":
		case "zip":
			return refuse("it is compressed")
		default:
			return refuse("its JOSE header has members that aws-vault does not write")
		}
	}
	if h["alg"] != joseAlg || h["enc"] != joseEnc {
		return refuse("it is not encrypted with " + joseAlg + " and " + joseEnc)
	}
	count, ok := h["p2c"].(json.Number)
	if !ok {
		return refuse("it does not say its PBKDF2 iterations")
	}
	if n, err := count.Int64(); err != nil || n < minP2C || n > maxP2C {
		return refuse(fmt.Sprintf("its PBKDF2 iterations are not between %d and %d", minP2C, maxP2C))
	}
	text, _ := h["p2s"].(string)
	if salt, err := base64.RawURLEncoding.Strict().DecodeString(text); err != nil || len(salt) < 8 || len(salt) > 256 {
		return refuse("its PBKDF2 salt is malformed")
	}
	// A wrapped 256-bit key is 40 bytes (RFC 3394); GCM's nonce is 12 and its tag 16.
	if len(raw[1]) != 40 || len(raw[2]) != 12 || len(raw[4]) != 16 {
		return refuse("its parts have impossible lengths")
	}
	return nil
}

// uniqueMembers reads one flat JSON object in which no member is there twice.
func uniqueMembers(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("not an object")
	}
	m := map[string]any{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := name.(string)
		if _, twice := m[key]; twice || !ok {
			return nil, fmt.Errorf("member %q is there twice", key)
		}
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, nested := value.(json.Delim); nested {
			return nil, fmt.Errorf("member %q is nested", key)
		}
		m[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return m, nil
}

package cmd

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
)

// canary is a secret that is looked for in every form in which it could slip out.
type canary struct {
	name  string
	forms [][]byte
}

// newCanary takes a secret of eight bytes or more, so that none is found by chance.
func newCanary(name string, secret []byte) canary {
	c := canary{name: name, forms: [][]byte{secret, []byte(hex.EncodeToString(secret)), []byte(strings.ToUpper(hex.EncodeToString(secret)))}}
	for _, escaped := range []string{url.QueryEscape(string(secret)), url.PathEscape(string(secret))} {
		if escaped != string(secret) {
			c.forms = append(c.forms, []byte(escaped))
		}
	}
	// In base64 it looks different by what is before it, at the edges too.
	for before := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			end := len(text)
			if (before+len(secret))%3 != 0 {
				end--
			}
			c.forms = append(c.forms, []byte(text[[]int{0, 2, 3}[before]:end]))
		}
	}
	return c
}

// in reports whether the canary is anywhere in data.
func (c canary) in(data []byte) bool {
	for _, form := range c.forms {
		if bytes.Contains(data, form) {
			return true
		}
	}
	return false
}

// The search finds what it is for; a search that finds nothing proves nothing.
func TestCanariesAreFound(t *testing.T) {
	const secret = "wJalr/XUtnFEMI+K7MDENG?bPxRfi"
	c := newCanary("secret", []byte(secret))
	found := 0
	for before := range 4 {
		text := []byte("abcd"[:before] + secret + " and more")
		for name, hidden := range map[string]string{
			"plain": string(text), "hex": hex.EncodeToString(text), "HEX": strings.ToUpper(hex.EncodeToString(text)),
			"base64": base64.StdEncoding.EncodeToString(text), "base64url": base64.RawURLEncoding.EncodeToString(text),
			"query": url.QueryEscape(string(text)), "path": url.PathEscape(string(text)),
		} {
			if found++; !c.in([]byte(hidden)) {
				t.Errorf("not found as %s behind %d bytes", name, before)
			}
		}
	}
	if c.in([]byte(secret[1:])) || c.in(nil) || found == 0 {
		t.Error("found where it is not")
	}
}

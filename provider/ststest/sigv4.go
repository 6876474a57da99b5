package ststest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

const (
	sigAlgorithm = "AWS4-HMAC-SHA256"
	sigTime      = "20060102T150405Z"
	maxSkew      = 5 * time.Minute
)

// signature is what an Authorization header says. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
type signature struct {
	keyID, date, region, service string
	headers                      []string
	value                        string
}

// parseSignature reads the Authorization header; nil without error means that
// the request is not signed.
func parseSignature(r *http.Request) (*signature, *Error) {
	h := r.Header.Get("Authorization")
	if h == "" || strings.HasPrefix(h, "Bearer ") {
		return nil, nil
	}
	rest, ok := strings.CutPrefix(h, sigAlgorithm)
	if !ok {
		return nil, errorf(400, "IncompleteSignature", "Authorization header requires an '%s' algorithm.", sigAlgorithm)
	}
	var g signature
	for _, part := range strings.Split(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return nil, errorf(400, "IncompleteSignature", "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", value)
			}
			g.keyID, g.date, g.region, g.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			g.headers = strings.Split(value, ";")
		case "Signature":
			g.value = value
		}
	}
	for name, missing := range map[string]bool{"Credential": g.keyID == "", "Signature": g.value == "", "SignedHeaders": len(g.headers) == 0} {
		if missing {
			return nil, errorf(400, "IncompleteSignature", "Authorization header requires '%s' parameter. Authorization=%s", name, sigAlgorithm)
		}
	}
	return &g, nil
}

// verify checks the signature over the request with the secret key, and the
// time of signing against the server's clock.
func (g *signature) verify(r *http.Request, body []byte, secret string, now time.Time) *Error {
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(sigTime, stamp)
	if err != nil {
		return errorf(400, "IncompleteSignature", "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", stamp)
	}
	if !strings.HasPrefix(stamp, g.date) {
		return errorf(403, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", g.date, at.Format("20060102"), stamp)
	}
	if at.Before(now.Add(-maxSkew)) {
		return errorf(403, "SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - 5 min.)", stamp, now.Add(-maxSkew).Format(sigTime), now.Format(sigTime))
	}
	if at.After(now.Add(maxSkew)) {
		return errorf(403, "SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s (%s + 5 min.)", stamp, now.Add(maxSkew).Format(sigTime), now.Format(sigTime))
	}
	if !slices.Contains(g.headers, "host") {
		return errorf(403, "SignatureDoesNotMatch", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		if n := strings.ToLower(name); strings.HasPrefix(n, "x-amz-") && !slices.Contains(g.headers, n) {
			return errorf(403, "SignatureDoesNotMatch", "'%s' must be a 'SignedHeader' in the AWS Authorization.", n)
		}
	}
	sum := hexSum(body)
	if said := r.Header.Get("X-Amz-Content-Sha256"); said != "" && said != sum {
		return errSignature
	}
	canonical := strings.Join([]string{r.Method, canonicalPath(r.URL), canonicalQuery(r.URL), canonicalHeaders(r, g.headers), strings.Join(g.headers, ";"), sum}, "\n")
	scope := strings.Join([]string{g.date, g.region, g.service, "aws4_request"}, "/")
	text := strings.Join([]string{sigAlgorithm, stamp, scope, hexSum([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{g.date, g.region, g.service, "aws4_request"} {
		key = mac(key, part)
	}
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(mac(key, text))), []byte(g.value)) != 1 {
		return errSignature
	}
	return nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, n := range names {
		values := r.Header.Values(n)
		switch {
		case n == "host":
			values = []string{r.Host}
		case n == "content-length" && len(values) == 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.Join(strings.Fields(v), " ")
		}
		b.WriteString(n + ":" + strings.Join(trimmed, ",") + "\n")
	}
	return b.String()
}

// canonicalPath encodes the already encoded path once more, as every service
// but S3 wants it.
func canonicalPath(u *url.URL) string {
	p := u.EscapedPath()
	if p == "" {
		return "/"
	}
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = encode(parts[i])
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, v := range values {
			pairs = append(pairs, encode(name)+"="+encode(v))
		}
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "&")
}

// encode is RFC 3986's percent-encoding of everything but unreserved characters.
func encode(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%7E", "~")
}

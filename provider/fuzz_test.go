package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"groat/provider/profile"
	"groat/session"
)

func FuzzSessionName(f *testing.F) {
	for _, s := range []string{"alice", "", "a", "Jürgen Müller", strings.Repeat("é", 70), "a/b\\c:d", "\x00\xff", "  x  ", "user@example.com", "=,.+-_"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := sanitizeSessionName(s)
		if len(name) < minSessionName || len(name) > maxSessionName || strings.Trim(name, alphanumeric+"_+=,.@-") != "" {
			t.Fatalf("%q became %q, which AWS refuses", s, name)
		}
		if again := sanitizeSessionName(name); again != name {
			t.Fatalf("an acceptable name %q was changed to %q", name, again)
		}
	})
}

func FuzzProcessOutput(f *testing.F) {
	for _, s := range []string{
		`{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S"}`,
		`{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2999-01-01T00:00:00Z","AccountId":"123456789012"}`,
		`{"Version":"1"}`, `null`, `[]`, `{}`, ``, `{"Version":1,"AccessKeyId":" ","SecretAccessKey":"S"}`, `{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","Expiration":""}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		creds, why := parseProcessOutput(data)
		switch {
		case why != "" && (creds.AccessKeyID != "" || creds.SecretAccessKey != "" || creds.SessionToken != ""):
			t.Fatalf("refused (%s), and yet gave %v", why, creds)
		case why != "":
			return
		case !json.Valid(data):
			t.Fatalf("%q was accepted", data)
		case strings.TrimSpace(creds.AccessKeyID) == "" || strings.TrimSpace(creds.SecretAccessKey) == "":
			t.Fatalf("half a key was accepted: %q", data)
		}
	})
}

// Two steps that ask AWS for something else never share a cache key.
func FuzzStepIdentity(f *testing.F) {
	f.Add("arn:a", "x", "", "k", "v", "arn:a", "", "x", "k", "v")
	f.Add("a", "b", "c", "d", "e", "a", "b", "c", "d", "e")
	f.Add("", "", "", "1", "", "", "", "", "", "1")
	f.Fuzz(func(t *testing.T, arn1, ext1, name1, key1, value1, arn2, ext2, name2, key2, value2 string) {
		step := func(arn, ext, name, key, value string) *Step {
			return &Step{Operation: OpAssumeRole, Role: &profile.Role{RoleARN: arn, ExternalID: ext, SessionName: name, Tags: []profile.Tag{{Key: key, Value: value}}}}
		}
		a, b := stepIdentity(step(arn1, ext1, name1, key1, value1), true), stepIdentity(step(arn2, ext2, name2, key2, value2), true)
		same := arn1 == arn2 && ext1 == ext2 && name1 == name2 && key1 == key2 && value1 == value2
		if equal := session.NewKey(a...) == session.NewKey(b...); equal != same {
			t.Fatalf("%q and %q: the same key is %v", a, b, equal)
		}
	})
}

func FuzzCircle(f *testing.F) {
	f.Add("a", "echo 1", "b", "echo 2")
	f.Add("a,b", "x:y", "%2C", "\n")
	f.Fuzz(func(t *testing.T, name1, line1, name2, line2 string) {
		first, second := newRunningLine([]string{name2, name1}, line1), newRunningLine([]string{name2}, line2)
		chain := first.String() + "," + second.String()
		if circle(chain, first) == nil || circle(chain, second) == nil {
			t.Fatalf("a running line is not recognised in %q", chain)
		}
		if name1 != name2 && circle(first.String(), second) != nil {
			t.Fatalf("%q is taken for %q", second, first)
		}
	})
}

// FuzzSTSAnswer: whatever answers in the place of STS, an identity that is
// believed is in the answer, and a failure is one of AWS's or of the road.
func FuzzSTSAnswer(f *testing.F) {
	const identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
	f.Add(200, []byte(identity))
	f.Add(200, []byte(identity[:60]))
	f.Add(200, []byte("<html><body>Welcome</body></html>"))
	f.Add(200, []byte{})
	f.Add(403, []byte("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>"))
	f.Add(307, []byte("<a>"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 499 || status == 429 || status == 408 { // a retry takes its time
			return
		}
		client := &http.Client{Transport: answers(func(r *http.Request) *http.Response {
			return &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}
		})}
		id, err := CallerIdentity(t.Context(), CallOptions{Profile: "p", HTTP: client}, session.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret-of-a-key"})
		switch {
		case err != nil && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrRefused):
			t.Errorf("%d %q: %v", status, body, err)
		case err != nil && (id != Identity{}):
			t.Errorf("%d %q: %v beside %v", status, body, id, err)
		case err == nil && (id.Account == "" || id.ARN == "" || status >= 300):
			t.Errorf("%d %q is believed: %v", status, body, id)
		}
	})
}

// answers is a network of one.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r), nil }

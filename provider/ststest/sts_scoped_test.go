package ststest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

// scoped calls GetScopedCredentials, which the SDK does not know yet, by the
// query protocol.
func (w *world) scoped(t *testing.T, p aws.CredentialsProvider, host string, in url.Values) (*ststypes.Credentials, error) {
	t.Helper()
	form := url.Values{"Action": {"GetScopedCredentials"}, "Version": {"2011-06-15"}}
	for name, values := range in {
		form[name] = values
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if host != "" {
		r.Host = host
	}
	creds, err := p.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), creds, r, hex.EncodeToString(sum[:]), "sts", "eu-west-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		XMLName xml.Name
		Result  struct {
			Credentials ststypes.Credentials
			SessionInfo struct{ Arn string }
		} `xml:"GetScopedCredentialsResult"`
		Error struct{ Code, Message string }
	}
	if err := xml.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, &smithy.GenericAPIError{Code: out.Error.Code, Message: out.Error.Message}
	}
	if out.XMLName.Local != "GetScopedCredentialsResponse" || out.Result.SessionInfo.Arn == "" {
		t.Fatalf("the answer is a %s for %q", out.XMLName.Local, out.Result.SessionInfo.Arn)
	}
	return &out.Result.Credentials, nil
}

// What AWS refuses to narrow, and with which code.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetScopedCredentials.html
func TestScopedCredentialsRules(t *testing.T) {
	const policy = `{"Statement":[]}`
	w := newWorld(t)
	session := of(w.session(t, false)) // for an hour
	for _, row := range []struct {
		name, field, value string
		code, phrase       string
	}{
		{"nothing is asked for", "", "", "", ""},
		{"a policy", "Policy", policy, "", ""},
		{"a second", "DurationSeconds", "1", "", ""},
		{"all whole seconds that are left", "DurationSeconds", "3599", "", ""},
		{"more than is left", "DurationSeconds", "3601", "InsufficientSessionLifetime", "remaining lifetime"},
		{"no time", "DurationSeconds", "0", "ValidationError", "durationSeconds"},
		{"more than 36 hours", "DurationSeconds", "129601", "ValidationError", "durationSeconds"},
		{"the longest policy", "Policy", policy + strings.Repeat(" ", 2048-len(policy)), "", ""},
		{"a longer one", "Policy", policy + strings.Repeat(" ", 2049-len(policy)), "ValidationError", "2048"},
		{"a policy that is no JSON", "Policy", "{", "MalformedPolicyDocument", ""},
		{"a policy that says nothing", "Policy", "{}", "MalformedPolicyDocument", ""},
		{"a character past Latin-1", "Policy", `{"Statement":["€"]}`, "ValidationError", "policy"},
		{"the longest description", "ScopedSessionDescription", strings.Repeat("d", 256), "", ""},
		{"a longer one", "ScopedSessionDescription", strings.Repeat("d", 257), "ValidationError", "scopedSessionDescription"},
		{"the ARN of a policy", "PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess", "ValidationError", ""},
		{"a device", "SerialNumber", w.device.Serial, "ValidationError", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := url.Values{}
			if row.field != "" {
				in.Set(row.field, row.value)
			}
			_, err := w.scoped(t, session, "", in)
			if row.code == "" {
				granted(t, err)
				return
			}
			refused(t, err, row.code, row.phrase)
		})
	}

	_, err := w.scoped(t, session, "sts.amazonaws.com", nil)
	refused(t, err, "InvalidAction", "global endpoint")
	_, err = w.scoped(t, w.own(), "", nil)
	refused(t, err, "InvalidSubjectCredentials", "long-term")
}

// The same session is narrowed three times, whoever asks, and never again; it
// stays the identity that it was, and never outlives the one before.
func TestScopedCredentialsInLayers(t *testing.T) {
	w := newWorld(t)
	out, err := w.role(t, w.own(), nil)
	granted(t, err)
	creds := out.Credentials
	before, err := w.sts(of(creds)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	var policies []string
	for layer := range 3 {
		policies = append(policies, `{"Statement":[],"Id":"`+strings.Repeat("x", layer)+`"}`)
		narrower, err := w.scoped(t, of(creds), "", url.Values{"Policy": policies[layer:]})
		granted(t, err)
		if narrower.Expiration.After(*creds.Expiration) || *narrower.AccessKeyId == *creds.AccessKeyId {
			t.Errorf("layer %d: until %v after %v", layer, narrower.Expiration, creds.Expiration)
		}
		creds = narrower
		after, err := w.sts(of(creds)).GetCallerIdentity(t.Context(), nil)
		granted(t, err)
		if got := w.SessionPolicies(*creds.AccessKeyId); *after.Arn != *before.Arn || strings.Join(got, "\n") != strings.Join(policies, "\n") {
			t.Errorf("layer %d: %s, narrowed to %q", layer, *after.Arn, got)
		}
	}
	_, err = w.scoped(t, of(creds), "", nil)
	refused(t, err, "InvalidSubjectCredentials", "3 times")
}

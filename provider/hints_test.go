package provider

import (
	"context"
	"errors"
	"strings"
	"testing"

	"groat/provider/profile"
	"groat/session"
	"groat/vault/accesskey"
	"groat/vault/fault"
)

// Profiles may be called anything: their names are quoted in what people are
// told to run.
func TestHintsQuoteNames(t *testing.T) {
	const name, quoted = "a b'c$(x)", `'a b'\''c$(x)'`
	long := session.Credentials{AccessKeyID: "AKIAEXAMPLE"}
	temporary := session.Credentials{AccessKeyID: "ASIAEXAMPLE", SessionToken: "t"}
	for _, c := range []struct {
		code, message string
		creds         session.Credentials
	}{
		{"SignatureDoesNotMatch", "", long},
		{"InvalidClientTokenId", "", long},
		{"InvalidClientTokenId", "", temporary},
		{"ExpiredToken", "", long},
		{"ExpiredToken", "", temporary},
		{"AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", long},
		{"AccessDenied", "Cannot call GetSessionToken with session credentials", long},
	} {
		err := explain(&CallError{Operation: "sts:GetSessionToken", Profile: name, Code: c.code, Message: c.message, Err: ErrRefused}, refusal{creds: c.creds})
		var call *CallError
		if !errors.As(err, &call) || !strings.Contains(call.Hint(), " "+quoted) {
			t.Errorf("%s %s: %q", c.code, c.message, call.Hint())
		}
	}
	replaced := &run{m: &Minter{Keys: newKey{}}, plan: &Plan{Source: profile.Source{Profile: name}, Card: &Card{}}}
	_, err := replaced.rootKey(t.Context(), nil)
	for _, e := range []error{missingKey("", name), err, notSignedIn(SignInRequest{Profile: name}, "", nil)} {
		if hint := fault.Hint(e); !strings.Contains(hint, " "+quoted) {
			t.Errorf("%v: %q", e, hint)
		}
	}
}

// newKey is the vault's, and no card's.
type newKey struct{}

func (newKey) Card(context.Context, string) (Card, error) { return Card{}, nil }
func (newKey) Mend(context.Context, string) error         { return nil }
func (newKey) Key(context.Context, string) (accesskey.Key, error) {
	return accesskey.Key{Generation: "new"}, nil
}

package provider

import (
	"errors"
	"strings"
	"testing"

	"groat/session"
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
	for _, e := range []interface{ Hint() string }{&NoKeyError{Missing: name}, &replacedError{name}, &signInError{req: SignInRequest{Profile: name}}} {
		if !strings.Contains(e.Hint(), " "+quoted) {
			t.Errorf("%T: %q", e, e.Hint())
		}
	}
}

package provider

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// What the first version sealed of sign-ins is understood.
func TestStoredSignInsOpen(t *testing.T) {
	then := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	var login loginToken
	if err := json.Unmarshal([]byte(`{"arn":"arn:aws:iam::123456789012:user/u","region":"eu-west-1","client":"arn:aws:signin:::devtools/same-device","refresh_token":"r","key":"AQI=","began":"2026-11-28T12:00:00Z","sent":true,"over":"why"}`), &login); err != nil {
		t.Fatal(err)
	}
	if want := (loginToken{"arn:aws:iam::123456789012:user/u", "eu-west-1", "arn:aws:signin:::devtools/same-device", "r", []byte{1, 2}, then, true, "why"}); !reflect.DeepEqual(login, want) {
		t.Errorf("%+v", login)
	}
	var sso ssoToken
	if err := json.Unmarshal([]byte(`{"access_token":"a","expires":"2026-11-28T12:00:00Z","refresh_token":"r","client":{"id":"i","secret":"s","expires":"2026-11-28T12:00:00Z"}}`), &sso); err != nil {
		t.Fatal(err)
	}
	if want := (ssoToken{"a", then, "r", ssoClient{"i", "s", then}}); !reflect.DeepEqual(sso, want) {
		t.Errorf("%+v", sso)
	}
}

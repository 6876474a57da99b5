package session

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// Whatever is stored: no panic; an error wraps ErrDamaged and quotes nothing;
// what is accepted is complete, belongs to the name, and is what encode
// writes for it.
func FuzzDecode(f *testing.F) {
	key := NewKey("fuzz")
	info := withTimes(Info{Kind: KindSessionToken, Profile: "p"})
	good, err := encode(key, info, testCredentials(1, info.Expiration))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	for _, s := range []string{"", "null", "{}", "[]", `{"version":1}`, `{"version":1,"credentials":null}`, `{"version":1,"info":{"expiration":"x"}}`} {
		f.Add([]byte(s))
	}
	f.Add(bytes.Replace(good, []byte("ASIA"), []byte("A"), 1))
	f.Add(bytes.ReplaceAll(good, []byte("2026"), []byte("9999")))
	f.Add(bytes.ReplaceAll(good, []byte("00Z"), []byte("00.5+23:59")))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decode(key, data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("error of another class: %v", err)
			}
			if strings.Contains(err.Error(), "secretx") || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("error quotes the data: %q", err)
			}
			return
		}
		if e.Key != key || !keyID(e.Credentials.AccessKeyID) || e.Credentials.SecretAccessKey == "" || !e.Info.Issued.Before(e.Info.Expiration) {
			t.Fatalf("accepted %+v", e.Info)
		}
		again, err := encode(key, e.Info, e.Credentials)
		if err != nil {
			t.Fatalf("what was accepted cannot be written: %v", err)
		}
		e2, err := decode(key, again)
		if err != nil || e2.Credentials.SessionToken != e.Credentials.SessionToken || !e2.Info.Expiration.Equal(e.Info.Expiration) {
			t.Fatalf("round trip: %v", err)
		}
	})
}

// Different lists of fields have different keys, whatever the fields hold.
func FuzzNewKey(f *testing.F) {
	f.Add("ab", "c", "a", "bc")
	f.Add("", "", "", "")
	f.Add("a", "", "", "a")
	f.Add("\x00\x00\x00\x00\x00\x00\x00\x01a", "", "a", "a")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		k := NewKey(a, b)
		if len(k) != 64 || strings.Trim(string(k), "0123456789abcdef") != "" {
			t.Fatalf("key %q", k)
		}
		if k != NewKey(a, b) {
			t.Fatal("not a function of the fields")
		}
		if same := a == c && b == d; same != (k == NewKey(c, d)) {
			t.Fatalf("%q and %q", []string{a, b}, []string{c, d})
		}
		for _, other := range [][]string{{a}, {a + b}, {a, b, ""}, {"", a, b}} {
			if k == NewKey(other...) {
				t.Fatalf("%q and %q", []string{a, b}, other)
			}
		}
	})
}

func FuzzJudge(f *testing.F) {
	f.Add(int64(0), int64(3600), int64(60), int64(0))
	f.Add(int64(-1<<62), int64(1<<62), int64(0), int64(1))
	f.Fuzz(func(t *testing.T, issued, expiration, now, minTTL int64) {
		at := func(s int64) time.Time { return time.Unix(s, 0) }
		if judge(at(issued), at(expiration), at(now), time.Duration(minTTL)) != unusable && !at(expiration).After(at(now)) {
			t.Fatal("serves what has expired")
		}
	})
}

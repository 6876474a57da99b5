package provider

import (
	"encoding/json"
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

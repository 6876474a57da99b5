package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// steered has each kind of line that steers, each in a profile of its own.
const steered = `[default]
region = eu-west-1
[profile plain]
role_arn = arn:aws:iam::123456789012:role/r
source_profile = default
[profile process]
credential_process = ./tool
[profile mfa]
mfa_process = ./code
[profile role]
role_arn = arn:aws:iam::123456789012:role/r
source_profile = mfa
[profile token-process]
role_arn = arn:aws:iam::123456789012:role/r
web_identity_token_process = ./token
[profile token-file]
role_arn = arn:aws:iam::123456789012:role/r
web_identity_token_file = ./secret
[profile endpoint]
endpoint_url = https://evil.example
[profile services]
services = elsewhere
[services elsewhere]
sts =
  endpoint_url = https://evil.example
s3 =
  endpoint_url = https://other.example
[profile bundle]
ca_bundle = ./ca.pem
[profile sso]
sso_start_url = https://evil.example/start
sso_region = eu-west-1
sso_account_id = 123456789012
sso_role_name = r
[profile sso-session]
sso_session = portal
sso_account_id = 123456789012
sso_role_name = r
[sso-session portal]
sso_start_url = https://evil.example/start
sso_region = eu-west-1
[profile included]
include_profile = endpoint
[profile alias]
credential_process = groat credential-process plain
[profile other-vault]
credential_process = ./groat credential-process --backend pass plain
`

// A profile that needs a line that steers is refused until that line is
// trusted: each is listed, and each is asked about, so the two cannot part.
func TestLinesThatSteerAreObeyedOnlyIfTrusted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, steered, 0o600)
	trusted := map[string]bool{}
	config, err := Load(LoadOptions{ConfigFile: path, Trusts: func(l Line) (bool, error) { return trusted[l.ID()], nil }})
	if err != nil {
		t.Fatal(err)
	}
	options := ResolveOptions{HoldsKey: func(name string) (bool, error) { return name == "default", nil }, SelfProfile: selfGroat}
	lines := config.Steering(path, selfGroat)
	needs := map[string]string{ // profile → the line that it is refused for
		"process": "credential_process", "mfa": "mfa_process", "role": "mfa_process", "token-process": "web_identity_token_process",
		"token-file": "web_identity_token_file", "endpoint": "endpoint_url", "services": "services: sts endpoint_url", "bundle": "ca_bundle",
		"sso": "sso_start_url", "sso-session": "sso_start_url", "included": "endpoint_url", "other-vault": "credential_process",
	}
	if len(lines) != len(needs)-1 { // role inherits the line of mfa
		t.Errorf("%d lines: %v", len(lines), lines)
	}
	for _, name := range config.Names() {
		key, needy := needs[name]
		_, err := config.Resolve(name, options)
		var e *Error
		switch {
		case !needy && err != nil:
			t.Errorf("%s: %v", name, err)
		case needy && (!errors.Is(err, ErrUntrusted) || !errors.As(err, &e) || e.Line == 0 || !strings.Contains(err.Error(), key)):
			t.Errorf("%s is refused so: %v", name, err)
		case needy && !strings.Contains(e.Hint(), "groat trust "+path):
			t.Errorf("%s: hint %q", name, e.Hint())
		}
		looking := options
		looking.Looking = true
		if r, err := config.Resolve(name, looking); err != nil || needy != (len(r.Warnings) > 0) {
			t.Errorf("%s, looked at: %v", name, err)
		}
	}
	for _, l := range lines {
		trusted[l.ID()] = true
	}
	for _, name := range config.Names() {
		if r, err := config.Resolve(name, options); err != nil || len(r.Warnings) > 0 {
			t.Errorf("%s, all trusted: %v", name, err)
		}
	}
}

// What is trusted is a line in a profile: moved within the file, with others
// changed around it, it stays trusted; changed itself, or made another
// profile's, it does not.
func TestTrustIsOfTheVeryLine(t *testing.T) {
	const before = "[profile a]\nmfa_process = ./code\n[profile b]\nregion = eu-west-1\n"
	load := func(text string, trusts func(Line) (bool, error)) (*Config, string) {
		path := filepath.Join(t.TempDir(), "config")
		writeFile(t, path, text, 0o600)
		c, err := Load(LoadOptions{ConfigFile: path, Trusts: trusts})
		if err != nil {
			t.Fatal(err)
		}
		return c, path
	}
	c, path := load(before, nil)
	lines := c.Steering(path, nil)
	for _, row := range []struct {
		name, text string
		ok         bool
	}{
		{"a", before, true},
		{"a", "# new\n[profile b]\nregion = us-east-1\n[profile a]\nregion = eu-west-1\nmfa_process=./code # said otherwise\n", true},
		{"a", "[profile a]\nmfa_process = ./other\n", false},
		{"a", "[profile a]\ncredential_process = ./code\n", false},
		{"b", "[profile b]\ninclude_profile = a\n[profile a]\nmfa_process = ./code\n", false},
		{"a", "[profile a]\nsource_profile = b\n[profile b]\nmfa_process = ./code\n", false},
	} {
		c, _ := load(row.text, func(l Line) (bool, error) { return l.ID() == lines[0].ID(), nil })
		_, err := c.Resolve(row.name, ResolveOptions{HoldsKey: func(name string) (bool, error) { return false, nil }})
		if (err == nil) != row.ok || !row.ok && !errors.Is(err, ErrUntrusted) {
			t.Errorf("%q: %v", row.text, err)
		}
	}
}

// The record keeps each file's lines apart, and is believed only as a file of
// ours in a folder of ours.
func TestTrustFile(t *testing.T) {
	f := TrustFile{Path: filepath.Join(t.TempDir(), "state", "trusted.json")}
	line := func(value string) []Line { return []Line{{Profile: "p", Key: "mfa_process", Value: value}} }
	save := func(file string, lines []Line) {
		t.Helper()
		if err := f.Save(t.Context(), file, lines); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string) {
		t.Helper()
		got, err := f.Load()
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("%v, %v; want %s", got, err, want)
		}
	}
	check("map[]")
	save("/a", line("1"))
	save("/b", line("2"))
	save("/a", line("3"))
	check(fmt.Sprintf("map[/a:[%s] /b:[%s]]", line("3")[0].ID(), line("2")[0].ID()))
	save("/a", nil)
	check(fmt.Sprintf("map[/b:[%s]]", line("2")[0].ID()))
	if runtime.GOOS == "windows" {
		return
	}
	chmod := func(path string, mode os.FileMode) {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(filepath.Dir(f.Path), 0o777)
	if got, err := f.Load(); len(got) > 0 || !errors.Is(err, ErrAccess) {
		t.Errorf("in a folder of all: %v, %v", got, err)
	}
	chmod(filepath.Dir(f.Path), 0o700)
	chmod(f.Path, 0o666)
	if got, err := f.Load(); len(got) > 0 || !errors.Is(err, ErrAccess) {
		t.Errorf("writable by all: %v, %v", got, err)
	}
}

package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Many look-ups go through an index, which finds what walking finds.
func TestIndexFindsTheSame(t *testing.T) {
	text := manyProfiles(50) + "[profile team-7]\nregion = later\n[services team-7]\nsts =\n  endpoint_url = u\n"
	c := load(t, text, "[team-7]\noutput = text\n")
	for i := range 50 {
		name := fmt.Sprintf("team-%d", i)
		if want := load(t, text, "").Value(name, "role_arn"); c.Value(name, "role_arn") != want || want == "" {
			t.Fatalf("%s: %q, want %q", name, c.Value(name, "role_arn"), want)
		}
	}
	c.bodies = map[string]*body{} // forget, and look up by the index
	if c.index == nil || c.Value("team-7", "region") != "later" || c.Value("team-7", "output") != "text" || !c.body(sectionServices, "team-7").exists || c.Exists("none") {
		t.Errorf("by the index: %q", c.Value("team-7", "region"))
	}
}

func TestRoleARNOption(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:role/a"
	c := load(t, "[profile w]\nregion = us-gov-west-1\nrole_arn = "+arn+"\nweb_identity_token_file = /t\n[profile k]\nsession_tags = bad\n", "")
	r := mustResolve(t, c, "w", ResolveOptions{RoleARN: "210987654321:role/path/other"})
	if got := r.Source.WebIdentity.RoleARN; got != "arn:aws-us-gov:iam::210987654321:role/path/other" || len(r.Roles) != 0 {
		t.Errorf("over web identity: %s", got)
	}
	for _, bad := range []string{"admin", "123:admin", "arn:aws:iam::123456789012:user/x", "123456789012:", "arn:aws:iam::123456789012:role/a b"} {
		if _, err := c.Resolve("w", ResolveOptions{RoleARN: bad}); !errors.Is(err, ErrMalformed) {
			t.Errorf("--role-arn %q: %v", bad, err)
		}
	}
	if _, err := c.Resolve("k", ResolveOptions{RoleARN: arn, HoldsKey: holding("k")}); !errors.Is(err, ErrMalformed) {
		t.Errorf("with the profile's bad tags: %v", err)
	}
}

// AWS's limits are told with their place, before anything is sent.
func TestLimits(t *testing.T) {
	const role = "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/a\ncredential_source = Environment\n"
	many := func(n int, format string) string {
		var items []string
		for i := range n {
			items = append(items, fmt.Sprintf(format, i))
		}
		return strings.Join(items, ",")
	}
	const policy = "arn:aws:iam::123456789012:policy/p%d"
	for line, ok := range map[string]bool{
		"session_tags = " + many(50, "k%d=v"):                         true,
		"session_tags = " + many(51, "k%d=v"):                         false,
		"session_tags = k=" + strings.Repeat("é", 256):                true,
		"session_tags = k=" + strings.Repeat("é", 257):                false,
		"session_tags = " + strings.Repeat("k", 129) + "=v":           false,
		"session_tags = Key=1,key=2":                                  false,
		"policy_arns = " + many(10, policy):                           true,
		"policy_arns = " + many(11, policy):                           false,
		"policy_arns = arn:aws:iam::12:policy/x":                      false,
		"policy = {\"a\":\"" + strings.Repeat("x", 2040) + "\"}":      true,
		"policy = {\"a\":\"" + strings.Repeat("x", 2041) + "\"}":      false,
		"source_identity = " + strings.Repeat("x", 64):                true,
		"source_identity = " + strings.Repeat("x", 65):                false,
		"web_identity_token_file = /t\npolicy_arns = nonsense":        false,
		"web_identity_token_file = /t\nweb_identity_token_process= x": true,
	} {
		_, err := load(t, role+line+"\n", "").Resolve("a", ResolveOptions{})
		var pe *Error
		switch {
		case ok && err != nil:
			t.Errorf("%.60s: %v", line, err)
		case !ok && (!errors.Is(err, ErrMalformed) || !errors.As(err, &pe) || pe.Line < 4 || pe.File != "config"):
			t.Errorf("%.60s: %v", line, err)
		}
	}
}

// No careless print shows a secret.
func TestStaticKeyHidesItsSecret(t *testing.T) {
	k := StaticKey{AccessKeyID: "AKIA", SecretAccessKey: "hush", SessionToken: "hush"}
	if s := fmt.Sprintf("%v %+v %#v %s", k, k, k, k); strings.Contains(s, "hush") {
		t.Error(s)
	}
	d := Resolved{DurationSeconds: 90}
	if d.Duration().String() != "1m30s" {
		t.Error(d.Duration())
	}
}

// Several may look into one configuration at the same time, as `each` does.
func TestConfigIsReadByMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	var text strings.Builder
	for i := range 200 {
		fmt.Fprintf(&text, "[profile p%d]\nregion = eu-west-1\n", i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(LoadOptions{ConfigFile: path})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				if c.Value(fmt.Sprintf("p%d", i), "region") != "eu-west-1" {
					t.Error("a value is lost")
				}
			}
		})
	}
	all.Wait()
}

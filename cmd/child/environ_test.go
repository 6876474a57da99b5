package child

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"groat/provider"
	"groat/session"
)

var (
	testExpiration  = time.Date(2031, 2, 3, 4, 5, 6, 700, time.FixedZone("CET", 3600))
	testCredentials = session.Credentials{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "se/cr+et==", SessionToken: "to/ken+=", //nolint:gosec // G101: no real credentials
		AccountID: "123456789012", Expiration: testExpiration,
	}
)

// inherited is an environment as it may be after years of tools, among them
// two outer shells of other profiles.
var inherited = []string{
	"PATH=/bin", "EMPTY=", "=C:=C:\\work",
	"AWS_ACCESS_KEY_ID=old", "AWS_ACCESS_KEY_ID=older", "AWS_SECRET_ACCESS_KEY=old", "AWS_SESSION_TOKEN=old",
	"AWS_ACCESS_KEY=old", "AWS_SECRET_KEY=old", "AWS_SECURITY_TOKEN=old", "AWS_CREDENTIAL_EXPIRATION=old",
	"AWS_SESSION_EXPIRATION=old", "AWS_CREDENTIAL_FILE=old", "AWS_ACCOUNT_ID=old",
	"AWS_PROFILE=old", "AWS_DEFAULT_PROFILE=old", "AWS_REGION=old", "AWS_DEFAULT_REGION=older",
	"AWS_CONTAINER_CREDENTIALS_FULL_URI=old", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=old",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN=old", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=old", "AWS_CONTAINER_NEW=old",
	"AWS_WEB_IDENTITY_TOKEN_FILE=old", "AWS_ROLE_ARN=old", "AWS_ROLE_SESSION_NAME=old", "AWS_BEARER_TOKEN_BEDROCK=old",
	"AWS_VAULT=old", "GROAT_PROFILE=old", "GROAT_FILE_PASSPHRASE=hunter2", provider.ProcessChainVariable + "=old",
	"AWS_CONFIG_FILE=/c", "AWS_CA_BUNDLE=/ca", "AWS_EC2_METADATA_DISABLED=true", "GROAT_FILE_DIR=/d", "PATH=/other",
}

// kept is what every child inherits of it.
var kept = []string{"PATH=/bin", "EMPTY=", "=C:=C:\\work", "AWS_CONFIG_FILE=/c", "AWS_CA_BUNDLE=/ca"}

func TestChildEnviron(t *testing.T) {
	const disabled, dir = "AWS_EC2_METADATA_DISABLED=true", "GROAT_FILE_DIR=/d"
	keys := []string{
		"AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=se/cr+et==", "AWS_SESSION_TOKEN=to/ken+=",
		"AWS_CREDENTIAL_EXPIRATION=2031-02-03T03:05:06Z",
	}
	name := []string{"GROAT_PROFILE=admin", "AWS_VAULT=admin"}
	region := func(r string) []string { return []string{"AWS_REGION=" + r, "AWS_DEFAULT_REGION=" + r} }
	for _, tt := range []struct {
		name string
		env  Env
		want []string
	}{
		{"keys", Env{Profile: "admin", Region: "eu-west-1", Credentials: testCredentials},
			slices.Concat(kept, []string{disabled, dir}, keys, region("eu-west-1"), name)},
		{"no region configured but in the environment", Env{Profile: "admin", Credentials: testCredentials},
			slices.Concat(kept, []string{disabled, dir}, keys, region("old"), name)},
		{"bare key", Env{Profile: "admin", Region: "r", Credentials: session.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "s"}},
			slices.Concat(kept, []string{disabled, dir, "AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=s"}, region("r"), name)},
		{"profile", Env{Profile: "admin", Region: "r", ProfileEnv: true, Credentials: testCredentials},
			slices.Concat(kept, []string{disabled, dir, "AWS_PROFILE=admin"}, region("r"), name)},
		{"server", Env{Profile: "admin", Region: "r", Credentials: testCredentials, Server: Server{URI: "http://127.0.0.1:1/", Token: "t"}},
			slices.Concat(kept, []string{disabled, dir, "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:1/", "AWS_CONTAINER_AUTHORIZATION_TOKEN=t"}, region("r"), name)},
		{"server with a token file", Env{Profile: "admin", Region: "r", Server: Server{URI: "u", TokenFile: "/f"}},
			slices.Concat(kept, []string{disabled, dir, "AWS_CONTAINER_CREDENTIALS_FULL_URI=u", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/f"}, region("r"), name)},
		{"metadata", Env{Profile: "admin", Region: "r", Server: Server{MetadataURL: "http://127.0.0.1:2"}},
			slices.Concat(kept, []string{dir, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:2"}, region("r"), name)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.env.environ(inherited, false)); diff != "" {
				t.Errorf("environment differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestChildEnvironHasNoRegionIfNoneIsConfigured(t *testing.T) {
	got := Env{Profile: "p", Credentials: testCredentials}.environ([]string{"AWS_REGION=", "A=b"}, false)
	for _, entry := range got {
		if strings.Contains(entry, "REGION") && entry != "AWS_REGION=" {
			t.Errorf("unexpected %q", entry)
		}
	}
}

func TestChildEnvironFoldsCaseOnWindows(t *testing.T) {
	parent := []string{"Path=C:\\", "PATH=D:\\", "aws_profile=old", "Groat_File_Passphrase=x", "aws_Region=r"}
	got := Env{Profile: "p", Credentials: session.Credentials{AccessKeyID: "a", SecretAccessKey: "s"}}.environ(parent, true)
	want := []string{
		"Path=C:\\", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=s",
		"AWS_REGION=r", "AWS_DEFAULT_REGION=r", "GROAT_PROFILE=p", "AWS_VAULT=p",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment differs (-want +got):\n%s", diff)
	}
	// Elsewhere they are other variables, and nobody's credentials.
	if got := (Env{}).environ(parent, false); !slices.Contains(got, "aws_profile=old") || !slices.Contains(got, "PATH=D:\\") {
		t.Errorf("case was folded: %q", got)
	}
}

// FuzzChildEnviron: whatever is inherited, no name appears twice, nothing
// secret or stale passes, what is set is set exactly, and nothing else is lost.
func FuzzChildEnviron(f *testing.F) {
	f.Add(strings.Join(inherited, "\n"), "admin", "eu-west-1", 0, false)
	f.Add("aws_profile=x\nAWS_PROFILE\n=\n==\nA", "p=q", "", 1, true)
	f.Add("GROAT_FILE_PASSPHRASE=a\ngroat_file_passphrase=b", "", "", 2, true)
	f.Fuzz(func(t *testing.T, parent, profile, region string, mode int, fold bool) {
		c := Env{Profile: profile, Region: region, Credentials: testCredentials}
		switch mode % 4 {
		case 1:
			c.ProfileEnv = true
		case 2:
			c.Server = Server{URI: "u", Token: "t"}
		case 3:
			c.Server = Server{MetadataURL: "m"}
		}
		in := strings.Split(parent, "\n")
		out := c.environ(in, fold)
		seen := map[string]string{}
		for _, entry := range out {
			name := foldName(entryName(entry), fold)
			if _, dup := seen[name]; dup {
				t.Fatalf("%q appears twice", name)
			}
			seen[name] = entry
		}
		set := map[string]string{}
		if c.Region == "" {
			c.Region = inheritedRegion(in, fold)
		}
		for _, v := range c.variables() {
			set[v.Name] = v.Name + "=" + v.Value
			if seen[v.Name] != set[v.Name] {
				t.Fatalf("%q is %q, want %q", v.Name, seen[v.Name], set[v.Name])
			}
		}
		for name, entry := range seen {
			if set[name] == "" && (matchesAny(name, credentialVariables) || matchesAny(name, ownVariables)) {
				t.Fatalf("%q was inherited", entry)
			}
		}
		for _, entry := range in {
			name := foldName(entryName(entry), fold)
			if seen[name] == "" && !slices.Contains(out, entry) && set[name] == "" &&
				!matchesAny(name, slices.Concat(credentialVariables, ownVariables, metadataVariables)) {
				t.Fatalf("%q was lost", entry)
			}
		}
	})
}

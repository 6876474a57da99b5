package profile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// TestAgainstGoSDK compares what is read and resolved with the Go SDK's
// LoadSharedConfigProfile, on generated configs that use every key the SDK
// knows, in the part of the format that it shares with botocore. The rest is
// listed in docs/configuration.md.
func TestAgainstGoSDK(t *testing.T) {
	g := &chainGenerator{rand.New(rand.NewPCG(266, 1252))}
	dir := t.TempDir()
	compared := 0
	for range 700 {
		configText, credentialsText := g.files()
		configPath, credentialsPath := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
		writeFile(t, configPath, configText, 0o600)
		writeFile(t, credentialsPath, credentialsText, 0o600)
		c, err := Load(LoadOptions{ConfigFile: configPath, CredentialsFile: credentialsPath})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range c.Names() {
			want, sdkErr := config.LoadSharedConfigProfile(context.Background(), name, func(o *config.LoadSharedConfigOptions) {
				o.ConfigFiles, o.CredentialsFiles = []string{configPath}, []string{credentialsPath}
			})
			got, err := c.Resolve(name, ResolveOptions{})
			if sdkErr != nil {
				t.Fatalf("the SDK refuses profile %q: %v\nconfig\n%s\ncredentials\n%s", name, sdkErr, configText, credentialsText)
			}
			differences := sdkDifferences(c, name, got, err, want)
			if len(differences) > 0 {
				t.Fatalf("profile %q differs:\n%s\nconfig\n%s\ncredentials\n%s", name, strings.Join(differences, "\n"), configText, credentialsText)
			}
			compared++
		}
	}
	t.Logf("%d profiles resolved alike", compared)
	if compared < 2000 {
		t.Error("the samples do not exercise the resolver")
	}
}

// sdkDifferences compares one profile.
func sdkDifferences(c *Config, name string, got *Resolved, err error, want config.SharedConfig) []string {
	var out []string
	check := func(what, ours, theirs string) {
		if ours != theirs {
			out = append(out, fmt.Sprintf("%s: ours %q, the SDK's %q", what, ours, theirs))
		}
	}
	check("region", c.Value(name, "region"), want.Region)
	check("ca_bundle", c.Value(name, "ca_bundle"), want.CustomCABundle)
	check("mfa_serial", c.Value(name, "mfa_serial"), want.MFASerial)
	if err != nil {
		return append(out, "our error: "+err.Error())
	}
	endpoints := got.Source.Endpoints
	if n := len(got.Roles); n > 0 {
		endpoints = got.Roles[n-1].Endpoints
	}
	check("FIPS", fmt.Sprint(endpoints.FIPS), fmt.Sprint(want.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled))
	check("dual-stack", fmt.Sprint(endpoints.DualStack), fmt.Sprint(want.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled))
	if want.IgnoreConfiguredEndpoints == nil || !*want.IgnoreConfiguredEndpoints {
		check("endpoint_url", endpoints.For(""), want.BaseEndpoint)
		for _, service := range []string{"sts", "iam"} {
			check(service+" endpoint", endpoints.URL[service], want.Services.ServiceValues[service]["endpoint_url"])
		}
	}
	// The chain: the SDK links a role to its source.
	roles := got.Roles
	last := &want
	for ; last.Source != nil; last = last.Source {
		if len(roles) == 0 {
			return append(out, "the SDK assumes more roles: "+last.RoleARN)
		}
		r := roles[len(roles)-1]
		roles = roles[:len(roles)-1]
		check("role_arn", r.RoleARN, last.RoleARN)
		check("external_id", r.ExternalID, last.ExternalID)
		check("role_session_name", r.SessionName, last.RoleSessionName)
		check("duration", fmt.Sprint(time.Duration(r.DurationSeconds)*time.Second), fmt.Sprint(aws.ToDuration(last.RoleDurationSeconds)))
	}
	return append(out, sourceDifferences(got, roles, last)...)
}

// sourceDifferences compares where the first credentials come from.
func sourceDifferences(got *Resolved, roles []Role, last *config.SharedConfig) []string {
	s := got.Source
	ours, theirs := string(s.Kind), ""
	switch {
	case last.Credentials.HasKeys():
		theirs = "static " + last.Credentials.AccessKeyID + " " + last.Credentials.SecretAccessKey + " " + last.Credentials.SessionToken
	case last.CredentialSource != "":
		theirs = last.CredentialSource
	case last.WebIdentityTokenFile != "":
		theirs = "web-identity " + last.WebIdentityTokenFile + " " + last.RoleARN + " " + last.RoleSessionName
	case last.SSOAccountID != "":
		region, url := last.SSORegion, last.SSOStartURL
		if last.SSOSession != nil {
			region, url = last.SSOSession.SSORegion, last.SSOSession.SSOStartURL
		}
		theirs = "sso " + last.SSOSessionName + " " + url + " " + region + " " + last.SSOAccountID + " " + last.SSORoleName
	case last.CredentialProcess != "":
		theirs = "process " + last.CredentialProcess
	default:
		theirs = "none"
	}
	switch s.Kind {
	case SourceStatic:
		ours += " " + s.Static.AccessKeyID + " " + s.Static.SecretAccessKey + " " + s.Static.SessionToken
	case SourceWebIdentity:
		ours += " " + s.WebIdentity.TokenFile + " " + s.WebIdentity.RoleARN + " " + s.WebIdentity.SessionName
	case SourceSSO:
		ours += " " + s.SSO.Session + " " + s.SSO.StartURL + " " + s.SSO.Region + " " + s.SSO.AccountID + " " + s.SSO.RoleName
	case SourceProcess:
		ours += " " + s.Process
	}
	if ours != theirs {
		return []string{fmt.Sprintf("source: ours %q, the SDK's %q (%d roles left)", ours, theirs, len(roles))}
	}
	return nil
}

// chainGenerator writes configs whose profiles refer to each other.
type chainGenerator struct{ *rand.Rand }

func (g *chainGenerator) files() (configText, credentialsText string) {
	var conf, cred strings.Builder
	conf.WriteString("[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n")
	conf.WriteString("[services local]\nsts =\n  endpoint_url = http://127.0.0.1:1\niam =\n    endpoint_url = http://127.0.0.1:2\n")
	n := 2 + g.IntN(5)
	for i := range n {
		end := "\n"
		if g.IntN(8) == 0 {
			end = "\r\n"
		}
		name := fmt.Sprintf("p%d", i)
		fmt.Fprintf(&conf, "%s[profile %s]%s", end, name, end)
		line := func(key, value string) {
			fmt.Fprintf(&conf, "%s%s%s%s%s", key, []string{" = ", "=", " =", "= "}[g.IntN(4)], value, []string{"", "", " # why", "\t; why"}[g.IntN(4)], end)
		}
		maybe := func(in int, key, value string) {
			if g.IntN(in) == 0 {
				line(key, value)
			}
		}
		maybe(2, "region", fmt.Sprintf("eu-west-%d", i))
		maybe(3, "output", "json")
		maybe(4, "mfa_serial", "arn:aws:iam::123456789012:mfa/me")
		maybe(8, "ca_bundle", "/ca.pem")
		maybe(8, "use_fips_endpoint", "true")
		maybe(8, "use_dualstack_endpoint", "True")
		maybe(8, "endpoint_url", "http://127.0.0.1:3")
		maybe(8, "services", "local")
		maybe(12, "ignore_configured_endpoint_urls", "true")
		switch kind := g.IntN(9); {
		case kind < 4 && i > 0:
			line("role_arn", fmt.Sprintf("arn:aws:iam::123456789012:role/r%d", i))
			line("source_profile", fmt.Sprintf("p%d", g.IntN(i)))
			maybe(3, "external_id", "a#b")
			maybe(3, "role_session_name", "me")
			maybe(3, "duration_seconds", "7200")
		case kind == 4:
			line("role_arn", "arn:aws:iam::123456789012:role/ec2")
			line("credential_source", "Ec2InstanceMetadata")
		case kind == 5:
			line("role_arn", "arn:aws:iam::123456789012:role/web")
			line("web_identity_token_file", "/token")
			maybe(2, "role_session_name", "me")
		case kind == 6:
			line("sso_session", "corp")
			line("sso_account_id", "123456789012")
			line("sso_role_name", "Dev")
		case kind == 7:
			line("credential_process", `"/opt/my tool" --profile 'a b'`)
		default:
			fmt.Fprintf(&cred, "[%s]%saws_access_key_id = AKIA%d%saws_secret_access_key = s/+%d%s", name, end, i, end, i, end)
			if g.IntN(3) == 0 {
				fmt.Fprintf(&cred, "aws_session_token = t==%s", end)
			}
		}
	}
	return conf.String(), cred.String()
}

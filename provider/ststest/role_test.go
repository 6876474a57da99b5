package ststest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"groat/provider/ststest"
)

func TestAssumeRoleForm(t *testing.T) {
	w := newWorld(t)
	for _, row := range []struct {
		name         string
		change       func(*sts.AssumeRoleInput)
		code, phrase string
	}{
		{"plain", nil, "", ""},
		{"with path", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(other) }, "", ""},
		{"longest", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43200) }, "", ""},
		{"too short", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, "ValidationError", "durationSeconds"},
		{"too long", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(43201) }, "ValidationError", "durationSeconds"},
		{"over the role's maximum", func(in *sts.AssumeRoleInput) { in.RoleArn, in.DurationSeconds = aws.String(other), aws.Int32(3601) }, "ValidationError", "MaxSessionDuration"},
		{"name of 1", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a") }, "ValidationError", "roleSessionName"},
		{"name of 65", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String(strings.Repeat("a", 65)) }, "ValidationError", "roleSessionName"},
		{"name with space", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError", `[\w+=,.@-]*`},
		{"name with letters of other tongues", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("zoë") }, "ValidationError", "roleSessionName"},
		{"all that a name may hold", func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a_b+c=d,e.f@g-h") }, "", ""},
		{"short ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("admin") }, "ValidationError", "roleArn"},
		{"malformed ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::12345:role/admin") }, "ValidationError", "is invalid"},
		{"a user's ARN", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::123456789012:user/alice") }, "ValidationError", "is invalid"},
		{"unknown role", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(admin + "s") }, "AccessDenied", "not authorized to perform: sts:AssumeRole"},
		{"external ID of 1", func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("x") }, "ValidationError", "externalId"},
		{"policy that is no JSON", func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{") }, "MalformedPolicyDocument", ""},
		{"policy too long", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(strings.Repeat(" ", 2049)) }, "ValidationError", "policy"},
		{"policy", func(in *sts.AssumeRoleInput) {
			in.Policy = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
		}, "", ""},
		{"bad policy ARN", func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []ststypes.PolicyDescriptorType{{Arn: aws.String("ReadOnlyAccess-policy-name")}}
		}, "ValidationError", "not valid"},
		{"tag twice", func(in *sts.AssumeRoleInput) {
			in.Tags = []ststypes.Tag{{Key: aws.String("Team"), Value: aws.String("a")}, {Key: aws.String("team"), Value: aws.String("b")}}
		}, "InvalidParameterValue", "Duplicate tag keys"},
		{"transitive without tag", func(in *sts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"team"} }, "InvalidParameterValue", "transitive"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := w.role(t, w.own(), row.change)
			if row.code == "" {
				granted(t, err)
				return
			}
			refused(t, err, row.code, row.phrase)
		})
	}
}

func TestChainedRolesLastAnHour(t *testing.T) {
	w := newWorld(t)
	first, err := w.role(t, w.own(), func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) })
	granted(t, err)
	for name, p := range map[string]aws.CredentialsProvider{"session": of(w.session(t, true)), "role": of(first.Credentials)} {
		_, err := w.role(t, p, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3600) })
		granted(t, err)
		_, err = w.role(t, p, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) })
		if err == nil {
			t.Errorf("%s: more than an hour was granted", name)
			continue
		}
		refused(t, err, "ValidationError", "role chaining")
	}
}

func TestTrust(t *testing.T) {
	w := newWorld(t)
	arn := "arn:aws:iam::210987654321:role/far"
	name := func(change func(*sts.AssumeRoleInput)) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) {
			in.RoleArn = aws.String(arn)
			if change != nil {
				change(in)
			}
		}
	}
	near := []string{w.alice.ARN, "arn:aws:iam::123456789012:role/admin"}
	with := func(set func(*ststest.RoleOptions)) ststest.RoleOptions {
		o := ststest.RoleOptions{Trusted: near}
		set(&o)
		return o
	}
	code := func(in *sts.AssumeRoleInput) {
		in.SerialNumber, in.TokenCode = &w.device.Serial, aws.String(w.device.FreshCode())
	}
	plain, mfa := of(w.session(t, false)), of(w.session(t, true))
	tagged := func(transitive bool) func(*sts.AssumeRoleInput) {
		return func(in *sts.AssumeRoleInput) {
			in.Tags = []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("x")}}
			if transitive {
				in.TransitiveTagKeys = []string{"team"}
			}
		}
	}
	identity := func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("alice") }
	through := func(change func(*sts.AssumeRoleInput)) aws.CredentialsProvider {
		out, err := w.role(t, w.own(), change)
		granted(t, err)
		return of(out.Credentials)
	}
	for _, row := range []struct {
		name   string
		o      ststest.RoleOptions
		p      aws.CredentialsProvider
		change func(*sts.AssumeRoleInput)
		phrase string // "" = granted
	}{
		{"another account's own", ststest.RoleOptions{}, w.own(), nil, "sts:AssumeRole"},
		{"trusted account", ststest.RoleOptions{Trusted: []string{"arn:aws:iam::123456789012:root"}}, w.own(), nil, ""},
		{"trusted user", ststest.RoleOptions{Trusted: near}, w.own(), nil, ""},
		{"trusted role", ststest.RoleOptions{Trusted: near[1:]}, through(nil), nil, ""},
		{"not that role", ststest.RoleOptions{Trusted: near[1:]}, w.own(), nil, "sts:AssumeRole"},
		{"MFA missing", with(func(o *ststest.RoleOptions) { o.RequireMFA = true }), w.own(), nil, "sts:AssumeRole"},
		{"MFA in the call", with(func(o *ststest.RoleOptions) { o.RequireMFA = true }), w.own(), code, ""},
		{"MFA in the session", with(func(o *ststest.RoleOptions) { o.RequireMFA = true }), mfa, nil, ""},
		{"session without MFA", with(func(o *ststest.RoleOptions) { o.RequireMFA = true }), plain, nil, "sts:AssumeRole"},
		{"a role carries no MFA on", with(func(o *ststest.RoleOptions) { o.RequireMFA = true }), through(code), nil, "sts:AssumeRole"},
		{"external ID missing", with(func(o *ststest.RoleOptions) { o.ExternalID = "x-1" }), w.own(), nil, "sts:AssumeRole"},
		{"external ID wrong", with(func(o *ststest.RoleOptions) { o.ExternalID = "x-1" }), w.own(), func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("x-2") }, "sts:AssumeRole"},
		{"external ID right", with(func(o *ststest.RoleOptions) { o.ExternalID = "x-1" }), w.own(), func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("x-1") }, ""},
		{"tags missing", with(func(o *ststest.RoleOptions) { o.RequireTags = []string{"team"} }), w.own(), nil, "sts:AssumeRole"},
		{"tags given", with(func(o *ststest.RoleOptions) { o.RequireTags = []string{"team"} }), w.own(), tagged(false), ""},
		{"tags carried on", with(func(o *ststest.RoleOptions) { o.RequireTags = []string{"team"} }), through(tagged(true)), nil, ""},
		{"tags not carried on", with(func(o *ststest.RoleOptions) { o.RequireTags = []string{"team"} }), through(tagged(false)), nil, "sts:AssumeRole"},
		{"tags not allowed", with(func(o *ststest.RoleOptions) { o.DenyTags = true }), w.own(), tagged(false), "sts:TagSession"},
		{"source identity missing", with(func(o *ststest.RoleOptions) { o.RequireSourceIdentity = true }), w.own(), nil, "sts:AssumeRole"},
		{"source identity given", with(func(o *ststest.RoleOptions) { o.RequireSourceIdentity = true }), w.own(), identity, ""},
		{"source identity carried on", with(func(o *ststest.RoleOptions) { o.RequireSourceIdentity = true }), through(identity), nil, ""},
		{"source identity changed", with(func(*ststest.RoleOptions) {}), through(identity), func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("bob") }, "sts:SetSourceIdentity"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w.device.Forget()
			w.AddRole(arn, row.o)
			_, err := w.role(t, row.p, name(row.change))
			if row.phrase == "" {
				granted(t, err)
				return
			}
			refused(t, err, "AccessDenied", row.phrase)
		})
	}
}

func TestRootAssumesNoRoles(t *testing.T) {
	w := newWorld(t)
	root := w.AddRootUser(account).AddAccessKey()
	_, err := w.role(t, provider(root.ID, root.Secret, ""), nil)
	refused(t, err, "AccessDenied", "root accounts")
}

func TestIAMNeedsMFAInASession(t *testing.T) {
	w := newWorld(t)
	call := func(p aws.CredentialsProvider) error {
		_, err := w.iam(p).ListMFADevices(t.Context(), &iam.ListMFADevicesInput{})
		return err
	}
	granted(t, call(w.own()))
	granted(t, call(of(w.session(t, true))))
	refused(t, call(of(w.session(t, false))), "InvalidClientTokenId", "")
	w.alice.Deny("iam:ListMFADevices")
	refused(t, call(w.own()), "AccessDenied", "iam:ListMFADevices")
}

func TestFederationToken(t *testing.T) {
	w := newWorld(t)
	call := func(p aws.CredentialsProvider, name string) (*sts.GetFederationTokenOutput, error) {
		return w.sts(p).GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: &name, DurationSeconds: aws.Int32(900)})
	}
	out, err := call(w.own(), "alice")
	granted(t, err)
	id, err := w.sts(of(out.Credentials)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	if *id.Arn != "arn:aws:sts::123456789012:federated-user/alice" {
		t.Error(*id.Arn)
	}
	_, err = w.iam(of(out.Credentials)).ListMFADevices(t.Context(), nil)
	refused(t, err, "InvalidClientTokenId", "")
	_, err = w.role(t, of(out.Credentials), nil)
	refused(t, err, "AccessDenied", "")
	_, err = call(of(w.session(t, true)), "alice")
	refused(t, err, "AccessDenied", "session credentials")
	_, err = call(w.own(), strings.Repeat("a", 33))
	refused(t, err, "ValidationError", "name")
}

func TestWebIdentity(t *testing.T) {
	w := newWorld(t)
	issuer := "https://ci.example/oidc"
	w.AddIssuer(issuer)
	w.AddRole("arn:aws:iam::123456789012:role/ci", ststest.RoleOptions{WebIdentity: issuer, Audience: "sts.amazonaws.com"})
	call := func(role, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return w.sts(nil).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{RoleArn: &role, RoleSessionName: aws.String("build"), WebIdentityToken: &token})
	}
	ci := "arn:aws:iam::123456789012:role/ci"
	good := w.WebIdentityToken(issuer, "repo:x", "sts.amazonaws.com", time.Hour)
	out, err := call(ci, good)
	granted(t, err)
	id, err := w.sts(of(out.Credentials)).GetCallerIdentity(t.Context(), nil)
	granted(t, err)
	if *id.Arn != "arn:aws:sts::123456789012:assumed-role/ci/build" || *out.SubjectFromWebIdentityToken != "repo:x" {
		t.Error(*id.Arn, *out.SubjectFromWebIdentityToken)
	}
	_, err = call(admin, good)
	refused(t, err, "AccessDenied", "AssumeRoleWithWebIdentity")
	_, err = call(ci, w.WebIdentityToken(issuer, "repo:x", "elsewhere", time.Hour))
	refused(t, err, "InvalidIdentityToken", "audience")
	_, err = call(ci, w.WebIdentityToken(issuer, "repo:x", "sts.amazonaws.com", -time.Hour))
	refused(t, err, "ExpiredTokenException", "expired")
	_, err = call(ci, good[:len(good)-2]+"AA")
	refused(t, err, "InvalidIdentityToken", "verification key")
	_, err = call(ci, "nonsense")
	refused(t, err, "InvalidIdentityToken", "not a valid JWT")
	_, err = call(ci, w.WebIdentityToken("https://evil.example", "repo:x", "sts.amazonaws.com", time.Hour))
	refused(t, err, "InvalidIdentityToken", "No OpenIDConnect provider")
}

// A policy that wants MFA of everything says "explicit deny", and means
// credentials that are too old, too.
func TestPolicyThatWantsMFA(t *testing.T) {
	w := newWorld(t)
	w.alice.RequireMFA(8 * time.Hour)
	_, err := w.role(t, w.own(), nil)
	refused(t, err, "AccessDenied", "with an explicit deny")
	_, err = w.role(t, of(w.session(t, true)), nil)
	granted(t, err)
	_, err = w.iam(w.own()).ListMFADevices(t.Context(), nil)
	granted(t, err)
}

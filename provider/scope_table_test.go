package provider_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
)

const (
	onlyS3     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`
	onlyRead   = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	scopedCall = "sts:GetScopedCredentials"
)

// scopeWorld has a profile for each way to get credentials; more is what
// stands in the profile asked for besides.
func scopeWorld(t *testing.T, asked, more string) *world {
	needsShell(t)
	w, token := webIdentityWorld(t)
	writeToken(t, token, w.srv.WebIdentityToken(issuer, "repo:x", "sts.amazonaws.com", time.Hour))
	w.srv.AddSSO(startURL, ststest.Assignment{Account: account, Role: "Dev"})
	w.srv.AutoApproveSSO(true)
	w.srv.SetSSOLifetimes(8*time.Hour, 0, time.Nanosecond)
	w.role("one", ststest.RoleOptions{RequireMFA: true}).role("two", ststest.RoleOptions{})
	w.srv.SignInAs(w.user.ARN)
	sections := []struct{ name, lines string }{
		{"default", "region = eu-west-1\nmfa_serial = " + w.device.Serial},
		{"role", "source_profile = default\nrole_arn = " + roleARN("one")},
		{"chain", "source_profile = role\nrole_arn = " + roleARN("two")},
		{"sso", "sso_start_url = " + startURL + "\nsso_region = eu-west-1\nsso_account_id = " + account + "\nsso_role_name = Dev"},
		{"login", "login_session = " + w.user.ARN + "\nregion = eu-west-1"},
		{"web", "web_identity_token_file = " + token + "\nrole_session_name = build-7\nrole_arn = " + roleARN("ci")},
		{"process", `credential_process = printf '%s' "$OUTPUT"`},
	}
	w.config = ""
	for _, s := range sections {
		if s.name == asked {
			s.lines += "\n" + more
		}
		w.config += "[profile " + s.name + "]\n" + s.lines + "\n"
	}
	return w
}

// scoped answers for a profile and says which calls it took.
func (w *world) scoped(tokens *memoryStore, p *provider.Plan) (session.Credentials, error) {
	w.t.Helper()
	m := w.newMinter()
	m.SignIn, m.Tokens = &signIn{local: true, show: func(r provider.SignInRequest) error { go visit(r.URL); return nil }}, tokens
	m.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	m.Environ = []string{"PATH=/usr/bin:/bin", "OUTPUT=" + w.output(time.Hour)}
	return m.Credentials(w.t.Context(), p)
}

// Whoever gives the credentials, a session policy narrows them, or nothing is
// handed out. A way to get credentials that is new is a row in the first list
// and a profile in scopeWorld.
func TestScopeTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What a session policy makes of each way to get credentials: written by TestScopeTable with -update. Each\n" +
		"# plan was carried out twice against the strict double, the second time from the cache, and what it gave is\n" +
		"# narrowed to the policies that were asked for and to no other. {…} is a policy, arn… the ARN of one. An AI agent\n" +
		"# asks where a row says so, and in all that are read-only but one.\n")
	for _, source := range []struct {
		title, profile string
		options        provider.Options
	}{
		{"key session", "default", provider.Options{}},
		{"key, --no-session", "default", provider.Options{NoSession: true}},
		{"role", "role", provider.Options{}},
		{"role, --no-session", "role", provider.Options{NoSession: true}},
		{"role chain", "chain", provider.Options{}},
		{"Identity Center", "sso", provider.Options{}},
		{"AWS Sign-In", "login", provider.Options{}},
		{"web identity", "web", provider.Options{}},
		{"foreign process", "process", provider.Options{}},
	} {
		fmt.Fprintf(&b, "\n%s\n", source.title)
		for _, way := range []struct {
			title, lines, agent string
			asked               profile.SessionPolicy
			want                []string
		}{
			{"whole", "", "", profile.SessionPolicy{}, nil},
			{"--policy", "", "", profile.SessionPolicy{Policy: onlyS3}, []string{onlyS3}},
			{"--policy-arn", "", "", profile.SessionPolicy{PolicyARNs: []string{onlyRead}}, []string{onlyRead}},
			{"policy", "policy = " + onlyS3, "", profile.SessionPolicy{}, []string{onlyS3}},
			{"policy_arns", "policy_arns = " + onlyRead, "", profile.SessionPolicy{}, []string{onlyRead}},
			{"--policy over both", "policy = {}\npolicy_arns = " + onlyRead, "", profile.SessionPolicy{Policy: onlyS3}, []string{onlyS3}},
			{"agent", "agent = allow", "claude", profile.SessionPolicy{}, nil},
			{"agent, --policy", "", "claude", profile.SessionPolicy{Policy: onlyS3}, []string{onlyS3}},
			{"read-only, a person", "agent = read-only", "", profile.SessionPolicy{}, nil},
			{"read-only", "agent = read-only", "claude", profile.SessionPolicy{}, []string{onlyRead}},
			{"read-only, --policy", "agent = read-only", "claude", profile.SessionPolicy{Policy: onlyS3}, []string{onlyRead, onlyS3}},
			{"read-only, policy", "agent = read-only\npolicy = " + onlyS3, "claude", profile.SessionPolicy{}, []string{onlyRead, onlyS3}},
			{"read-only, its own ARN", "agent = read-only", "claude", profile.SessionPolicy{PolicyARNs: []string{onlyRead}}, []string{onlyRead}},
			{"read-only, other ARN", "agent = read-only\npolicy_arns = " + onlyRead + "Too", "claude", profile.SessionPolicy{}, []string{onlyRead}},
		} {
			w := scopeWorld(t, source.profile, way.lines)
			r := w.resolve(source.profile, profile.ResolveOptions{SessionPolicy: way.asked})
			o := source.options
			o.Agent = way.agent
			p, err := w.tryPlan(r, o)
			if err != nil {
				if !errors.Is(err, provider.ErrNarrow) || len(way.want) == 0 {
					t.Fatalf("%s, %s: %v", source.title, way.title, err)
				}
				fmt.Fprintf(&b, "  %-22s refused: %v\n", way.title, err)
				continue
			}
			tokens := &memoryStore{items: map[string][]byte{}}
			creds, err := w.scoped(tokens, p)
			if err != nil {
				t.Fatalf("%s, %s: %v", source.title, way.title, err)
			}
			if got := w.srv.SessionPolicies(creds.AccessKeyID); !slices.Equal(got, way.want) {
				t.Errorf("%s, %s: narrowed to %q, want %q", source.title, way.title, got, way.want)
			}
			w.srv.ResetCalls()
			again, err := w.scoped(tokens, p)
			if cached := p.Steps[0].Operation != provider.OpKey; err != nil || cached && (again != creds || len(w.srv.Calls()) > 0) {
				t.Errorf("%s, %s: the second answer is not the first's: %v, %v", source.title, way.title, w.srv.Names(), err)
			}
			if _, err := provider.CallerIdentity(t.Context(), provider.CallOptions{Endpoints: at(w.srv.URL)}, again); err != nil {
				t.Errorf("%s, %s: %v", source.title, way.title, err)
			}
			fmt.Fprintf(&b, "  %-22s %s\n", way.title, describePlan(p, w.device.Serial))
		}
	}
	compareGolden(t, "scope.golden", b.String())
}

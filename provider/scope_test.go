package provider_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
)

// However the policies change from call to call, on the command line and in
// the files, and whoever calls, a person or an agent: nobody gets credentials
// that were narrowed for somebody else, nor whole ones.
func TestNarrowedAndWholeNeverMeet(t *testing.T) {
	rounds := 500
	if os.Getenv("GROAT_TEST_LONG") != "" {
		rounds = 10_000
	}
	w := newWorld(t).role("one", ststest.RoleOptions{}).role("two", ststest.RoleOptions{})
	onlyEC2 := strings.Replace(onlyS3, "s3", "ec2", 1)
	policies, arns := []string{"", "", onlyS3, onlyEC2}, [][]string{nil, nil, {onlyRead}, {onlyRead, onlyRead + "Too"}, {onlyRead + "Too"}}
	pick := func(withARNs bool) (p profile.SessionPolicy) {
		p.Policy = policies[rand.IntN(len(policies))]
		if withARNs {
			p.PolicyARNs = arns[rand.IntN(len(arns))]
		}
		return p
	}
	lines := func(p profile.SessionPolicy) string {
		return "policy = " + p.Policy + "\npolicy_arns = " + strings.Join(p.PolicyARNs, ",") + "\n"
	}
	seen := map[string]string{} // key IDs of roles, and which agent they are for
	for range rounds {
		agent := []string{"", "claude", "codex"}[rand.IntN(3)]
		rules := map[string]string{"one": "allow", "two": "allow"}
		for role := range rules {
			rules[role] = []string{profile.AgentAllow, profile.AgentAllow, profile.AgentReadOnly}[rand.IntN(3)]
		}
		name := []string{"default", "same", "one", "two"}[rand.IntN(4)]
		role := name == "one" || name == "two"
		own := map[string]profile.SessionPolicy{"default": pick(false), "same": pick(false), "one": pick(true), "two": pick(true)}
		var flags profile.SessionPolicy
		if rand.IntN(2) == 0 {
			flags = pick(role)
		}
		w.config = "[default]\nregion = eu-west-1\n" + lines(own["default"]) +
			"[profile same]\nsource_profile = default\n" + lines(own["same"]) +
			"[profile one]\nsource_profile = default\nrole_arn = " + roleARN("one") + "\nagent = " + rules["one"] + "\n" + lines(own["one"]) +
			"[profile two]\nsource_profile = one\nrole_arn = " + roleARN("two") + "\nagent = " + rules["two"] + "\n" + lines(own["two"])
		want := flags
		if !want.Narrows() {
			want = own[name]
		}
		if !want.Narrows() && name == "same" {
			want = own["default"]
		}
		readOnly := agent != "" && rules[name] == profile.AgentReadOnly
		o := provider.Options{AssumeRoleTTL: time.Duration(15+15*rand.IntN(2)) * time.Minute, Agent: agent}
		p, err := w.tryPlan(w.resolve(name, profile.ResolveOptions{SessionPolicy: flags}), o)
		if readOnly && len(want.PolicyARNs) > 0 && !slices.Equal(want.PolicyARNs, []string{onlyRead}) {
			wantError(t, err, provider.ErrNarrow, "has policies of its own")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		creds, err := w.minter.Credentials(t.Context(), p)
		if err != nil {
			t.Fatalf("%s, %+v: %v\n%s", name, flags, err, w.config)
		}
		var parts []string
		if want.Policy != "" {
			parts = []string{want.Policy}
		}
		if readOnly { // the document is applied after it
			parts = slices.Concat([]string{onlyRead}, parts)
		} else {
			parts = slices.Concat(parts, want.PolicyARNs)
		}
		if got := w.srv.SessionPolicies(creds.AccessKeyID); !slices.Equal(got, parts) {
			t.Fatalf("%s, %+v, agent %q: narrowed to %q, want %q\n%s", name, flags, agent, got, parts, w.config)
		}
		if other, met := seen[creds.AccessKeyID]; role && met && other != agent {
			t.Fatalf("%s: agent %q has what %q was given", name, agent, other)
		}
		seen[creds.AccessKeyID] = agent
	}
	t.Logf("%d changes of the options, %d credentials, 0 mix-ups", rounds, len(seen))
	if len(seen) < 10 || len(seen) > rounds/2 {
		t.Errorf("%d credentials in %d rounds: no policy varied, or nothing was cached", len(seen), rounds)
	}
}

// What AWS refuses of a narrowing is said in words.
func TestScopeRefusals(t *testing.T) {
	for code, says := range map[string]string{
		"InsufficientSessionLifetime": "ask for less (--duration)",
		"MalformedPolicyDocument":     "correct the session policy (--policy",
		"PackedPolicyTooLarge":        "shorten or correct the session policy",
		"InvalidSubjectCredentials":   "at most three times",
		"AccessDenied":                "must allow sts:GetScopedCredentials",
		"InvalidAction":               "eu-west-1 does not offer it",
	} {
		w := newWorld(t)
		w.config += "[profile narrow]\nsource_profile = default\npolicy = " + onlyS3 + "\n"
		w.srv.Inject(ststest.Fault{Operation: scopedCall, Times: 1, Status: 400, Code: code})
		_, err := w.mint("narrow", provider.Options{})
		wantError(t, err, provider.ErrRefused, code, says, scopedCall, `profile "narrow"`)
	}
}

// The global endpoint has no GetScopedCredentials, whoever names it.
func TestScopeIsRegional(t *testing.T) {
	w := newWorld(t)
	w.config = "[profile p]\nsource_profile = default\npolicy = " + onlyS3 + "\n[default]\nsts_regional_endpoints = legacy\n"
	for region, url := range map[string]string{"eu-west-1": "", "aws-global": "", "us-east-1": "https://sts.amazonaws.com/"} {
		w.env["AWS_ENDPOINT_URL"], w.env["AWS_ENDPOINT_URL_STS"] = "", url
		p, err := w.tryPlan(w.resolve("p", profile.ResolveOptions{Region: region}), provider.Options{})
		if err != nil {
			t.Fatal(err)
		}
		step := p.Steps[1]
		rec := &recorder{}
		_, err = provider.CallerIdentity(t.Context(), provider.CallOptions{Region: step.Region, Endpoints: step.Endpoints, HTTP: &http.Client{Transport: rec}},
			session.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token"})
		if err == nil {
			t.Error("the recorder answered")
		}
		if strings.Contains(rec.seen, "//sts.amazonaws.com") || !strings.Contains(rec.seen, "//sts.") {
			t.Errorf("%s: %s", region, rec.seen)
		}
	}
}

// A duration is asked for where the source grants none of its own, and never
// more than is left.
func TestScopeDuration(t *testing.T) {
	for asked, sent := range map[time.Duration]time.Duration{0: 0, 20 * time.Minute: 20 * time.Minute, 2 * time.Hour: 0} {
		w := scopeWorld(t, "process", "policy = "+onlyS3)
		p := w.plan("process", provider.Options{SessionTTL: asked})
		if _, err := w.scoped(&memoryStore{items: map[string][]byte{}}, p); err != nil {
			t.Fatal(err)
		}
		calls := w.srv.Calls()
		last := calls[len(calls)-1]
		if last.Name() != scopedCall || last.Duration != sent || last.Policy != onlyS3 || last.Description != "groat: profile process" {
			t.Errorf("%s asked: %+v", asked, last)
		}
		if len(p.Warnings) > 0 {
			t.Errorf("warned %q", p.Warnings)
		}
	}
}

// A program that prints a long-lived key is not narrowed by saying so.
func TestLongLivedKeyIsNotNarrowed(t *testing.T) {
	w := scopeWorld(t, "process", "policy = "+onlyS3)
	w.config = strings.Replace(w.config, `"$OUTPUT"`, `'{"Version":1,"AccessKeyId":"`+w.key.ID+`","SecretAccessKey":"`+w.key.Secret+`"}'`, 1)
	creds, err := w.scoped(&memoryStore{items: map[string][]byte{}}, w.plan("process", provider.Options{}))
	wantError(t, err, profile.ErrUnsupported, "the credential process gave a long-lived access key", "groat add")
	if creds.AccessKeyID != "" {
		t.Error("it was handed out all the same")
	}
	w.wantCalls()
}

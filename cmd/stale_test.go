package cmd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groat/provider/ststest"
	"groat/vault"
	"groat/vault/accesskey"
)

// mutableProfile is everything about a role profile that AWS gets to see,
// and noise that it does not.
type mutableProfile struct {
	role, external, duration, sessionName, serial, region, source, identity, tags, policy string
	generation                                                                            [2]int // of the two stored keys
}

func (p mutableProfile) fingerprint() string {
	key := p.generation[0]
	if p.source == "base-2" {
		key = p.generation[1]
	}
	p.generation = [2]int{}
	return fmt.Sprintf("%+v key %d", p, key)
}

// text writes the profile with noise between its lines.
func (p mutableProfile) text(r *rand.Rand) string {
	lines := []string{"role_arn = " + p.role, "source_profile = " + p.source}
	for name, value := range map[string]string{
		"external_id": p.external, "duration_seconds": p.duration, "role_session_name": p.sessionName, "mfa_serial": p.serial,
		"region": p.region, "source_identity": p.identity, "session_tags": p.tags, "policy": p.policy,
	} {
		if value != "" {
			lines = append(lines, name+" = "+value)
		}
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	noise := []string{"", "# a comment", "output = json", "cli_pager =", "; another", "max_attempts=" + fmt.Sprint(r.IntN(9)+1)}
	var b strings.Builder
	fmt.Fprintf(&b, "[profile base-1]\nregion = eu-central-1\n[profile other-%d]\nrole_arn = arn:aws:iam::1:role/x\n[profile base-2]\nregion = eu-central-1\n[profile p]\n", r.IntN(100))
	for _, line := range lines {
		b.WriteString(line + "\n" + noise[r.IntN(len(noise))] + "\n")
	}
	return b.String()
}

// However the configuration and the keys change between calls: no answer was
// ever minted for anything else, and what was minted before is served again.
func TestNoAnswerIsStaleHoweverTheConfigChanges(t *testing.T) {
	rounds := 600
	if os.Getenv("GROAT_TEST_LONG") != "" {
		rounds = 10_000
	}
	r := rand.New(rand.NewPCG(3, 14))
	srv := ststest.Start(t, ststest.Options{})
	user := srv.AddUser("123456789012", "me")
	one, two := user.AddMFA(), user.AddMFA()
	role := func(name string) string { return "arn:aws:iam::123456789012:role/" + name }
	for _, name := range []string{"a", "b", "c"} {
		srv.AddRole(role(name), ststest.RoleOptions{})
	}
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	environ := []string{"HOME=" + home, "AWS_ENDPOINT_URL_STS=" + srv.URL}
	store := vault.NewMemory()
	p := mutableProfile{role: role("a"), source: "base-1"}
	putKey := func(n int) {
		key := user.AddAccessKey()
		if _, err := vault.PutKey(t.Context(), store, fmt.Sprintf("base-%d", n+1), accesskey.Key{ID: key.ID, Secret: key.Secret}, vault.Card{UserName: "me"}); err != nil {
			t.Fatal(err)
		}
		p.generation[n]++
	}
	putKey(0)
	putKey(1)

	pick := func(field *string, values ...string) func() {
		return func() { *field = values[r.IntN(len(values))] }
	}
	change := []func(){
		pick(&p.role, role("a"), role("b"), role("c")), pick(&p.external, "", "first", "second"), pick(&p.duration, "", "900", "1800"),
		pick(&p.sessionName, "", "one", "two"), pick(&p.serial, "", one.Serial, two.Serial), pick(&p.region, "", "eu-west-1", "us-east-1"),
		pick(&p.source, "base-1", "base-2"), pick(&p.identity, "", "me"), pick(&p.tags, "", "team=a", "team=b", "team=a,x=y"),
		pick(&p.policy, "", `{"Version":"2012-10-17","Statement":[]}`),
	}
	call := func() string {
		t.Helper()
		// The codes of one step are three at most; the test is not about them.
		one.Forget()
		two.Forget()
		_ = os.Remove(filepath.Join(home, ".local/state/groat/locks/state/used-codes.json"))
		var warned strings.Builder
		a := newApp(environ, Streams{Out: discard{}, Err: &warned})
		a.cli.Backend = "file"
		a.vaults().Use("file", store)
		m := minting{MFACode: one.Code(a.now())}
		if p.serial == two.Serial {
			m.MFACode = two.Code(a.now())
		}
		creds, _, err := a.mint(context.Background(), "p", m)
		if err != nil {
			t.Fatalf("%+v: %v %s", p, err, warned.String())
		}
		return creds.AccessKeyID
	}
	issued, minted := map[string]string{}, map[string]string{} // access key ID ↔ what it was minted for
	for i := range rounds {
		switch n := r.IntN(100); {
		case n < 1:
			putKey(r.IntN(2))
		case n < 60:
			change[r.IntN(len(change))]()
		case n < 70:
			p = mutableProfile{role: role("a"), source: "base-1", generation: p.generation}
		}
		if err := os.WriteFile(filepath.Join(home, ".aws/config"), []byte(p.text(r)), 0o600); err != nil {
			t.Fatal(err)
		}
		state := p.fingerprint()
		id := call()
		if was, seen := issued[id]; seen && was != state {
			t.Fatalf("round %d: stale\nasked  %s\nserved %s", i, state, was)
		}
		if before, seen := minted[state]; seen && before != id {
			t.Fatalf("round %d: minted anew for the same request: %s", i, state)
		}
		issued[id], minted[state] = state, id
	}
	t.Logf("%d answers of %d different requests", rounds, len(minted))
	if len(minted) < rounds/20 || len(minted) > rounds*19/20 {
		t.Error("the walk does not both repeat itself and go on")
	}
}

package cmd

import (
	"strings"
	"testing"
	"time"

	"groat/vault"
)

func TestKeyAge(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for want, card := range map[string]vault.Card{
		"at least 1 day old":  {Profile: "p", Added: now.Add(-47 * time.Hour)},
		"100 days old":        {Profile: "p", Added: now.Add(-time.Hour), Created: now.Add(-100 * 24 * time.Hour)},
		"at least 0 days old": {Profile: "p", Added: now.Add(time.Hour)},
	} {
		if got := ageWords(card, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// audit learns when a stored key was made, and rotate knows; names alone are
// printed where no person reads.
func TestKeyAgeIsLearnt(t *testing.T) {
	a := startAWS(t)
	a.user.Admin().Age(100 * 24 * time.Hour)
	env := a.environment(t)
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	card := func() vault.Card {
		t.Helper()
		x := newApp(env, Streams{In: strings.NewReader(""), Out: discard{}, Err: discard{}})
		defer x.close()
		if _, err := x.parse([]string{"list"}); err != nil {
			t.Fatal(err)
		}
		found, err := x.vaults().Find(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		return found.Card
	}
	if c := card(); !c.Created.IsZero() {
		t.Errorf("known before anybody said: %v", c.Created)
	}
	runMain(t, env, "", "audit", "default", "--mfa-code", a.device.FreshCode())
	if age, known := keyAge(card(), time.Now()); age != 100 || !known {
		t.Errorf("after audit: %d days, %v", age, known)
	}
	a.SessionsOutliveKeys(true)
	mustRun(t, env, "", "rotate", "default")
	if age, known := keyAge(card(), time.Now()); age != 0 || !known {
		t.Errorf("after rotate: %d days, %v", age, known)
	}
	if r := mustRun(t, env, "", "list", "--credentials"); r.stdout != "default\n" {
		t.Errorf("%q", r.stdout)
	}
}

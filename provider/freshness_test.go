package provider_test

import (
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/ststest"
)

// Where renewing would ask somebody, what is there is served until 5 min
// remain; where it would not, 15 min before its end.
func TestFreshnessDependsOnWhoWouldBeAsked(t *testing.T) {
	t.Run("a code goes into the call itself", func(t *testing.T) {
		w := mfaRoles(t)
		o := provider.Options{AssumeRoleTTL: 2 * time.Hour}
		w.mustMint("admin", o)
		w.srv.ResetCalls()
		w.later = 110 * time.Minute
		w.mustMint("admin", o)
		w.wantCalls()
		w.later = 116 * time.Minute
		w.mustMint("admin", o)
		w.wantCalls(assumeRole)
		w.wantPrompts(2)
	})
	t.Run("the parent is there", func(t *testing.T) {
		w := mfaRoles(t)
		w.mustMint("admin", provider.Options{})
		w.srv.ResetCalls()
		w.later = 46 * time.Minute
		w.mustMint("admin", provider.Options{})
		w.wantCalls(assumeRole)
		w.wantPrompts(1)
	})
	t.Run("the parent is gone, and would ask", func(t *testing.T) {
		w := mfaRoles(t)
		o := provider.Options{SessionTTL: 20 * time.Minute}
		w.mustMint("admin", o)
		w.srv.ResetCalls()
		w.cacheLater = 50 * time.Minute // the role has 10 min left, the session none
		w.mustMint("admin", o)
		w.wantCalls()
		w.cacheLater = 56 * time.Minute
		w.mustMint("admin", o)
		w.wantCalls(getSessionToken, assumeRole)
		w.wantPrompts(2)
	})
	t.Run("mfa_process counts as asking", func(t *testing.T) {
		needsShell(t)
		w := mfaRoles(t)
		o := provider.Options{AssumeRoleTTL: 2 * time.Hour}
		w.config = strings.Replace(w.config, "[profile readonly]", "[profile readonly]\nmfa_process = printf \"$CODE\"", 1)
		mint := func() error {
			m := w.newMinter()
			m.Environ = []string{"PATH=/usr/bin:/bin", "CODE=" + w.device.FreshCode()}
			_, err := m.Credentials(t.Context(), w.plan("readonly", o))
			return err
		}
		if err := mint(); err != nil {
			t.Fatal(err)
		}
		w.srv.ResetCalls()
		w.later = 110 * time.Minute
		if err := mint(); err != nil {
			t.Fatal(err)
		}
		w.wantCalls()
	})
	t.Run("nobody would be asked", func(t *testing.T) {
		w := newWorld(t).role("admin", ststest.RoleOptions{})
		w.config = strings.ReplaceAll(w.config, "mfa_serial = ", "# ")
		w.mustMint("admin", provider.Options{SessionTTL: 20 * time.Minute})
		w.srv.ResetCalls()
		w.cacheLater = 50 * time.Minute
		w.mustMint("admin", provider.Options{SessionTTL: 20 * time.Minute})
		w.wantCalls(getSessionToken, assumeRole)
	})
}

// Without a client of the caller's, one is made for each CA bundle, and its
// connection is kept.
func TestClientsAreMadePerBundle(t *testing.T) {
	w := newWorld(t)
	w.srv = ststest.Start(t, ststest.Options{TLS: true})
	w.user = w.srv.AddUser(account, "alice")
	w.key = w.user.AddAccessKey()
	w.vault.put("default", w.key, provider.Card{Account: account, UserName: "alice"})
	w.role("admin", ststest.RoleOptions{})
	w.env["AWS_ENDPOINT_URL"] = w.srv.URL
	ca, err := w.srv.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	w.config = "[default]\nca_bundle = " + ca + "\n[profile admin]\nca_bundle = " + ca + "\nsource_profile = default\nrole_arn = " + roleARN("admin") + "\n"
	m := w.newMinter()
	m.HTTP = nil
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	if n := w.srv.Connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	clear(w.store.items)
	w.config = strings.ReplaceAll(w.config, ca, ca+".missing")
	m = w.newMinter()
	m.HTTP = nil
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err == nil {
		t.Error("a missing CA bundle was passed over")
	}
}

package provider_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/ststest"
	"groat/session"
)

const (
	getSessionToken = "sts:GetSessionToken"
	assumeRole      = "sts:AssumeRole"
)

func mfaRoles(t *testing.T) *world {
	w := newWorld(t)
	for _, name := range []string{"admin", "readonly"} {
		w.role(name, ststest.RoleOptions{RequireMFA: true, MaxSession: 12 * time.Hour})
	}
	return w
}

func TestTwoRolesCostOneCode(t *testing.T) {
	w := mfaRoles(t)
	m := w.minter
	admin, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	if admin.AccountID != account || admin.SessionToken == "" || !admin.Expiration.After(time.Now().Add(59*time.Minute)) {
		t.Errorf("credentials are %v until %s of account %q", admin, admin.Expiration, admin.AccountID)
	}
	if _, err := m.Credentials(t.Context(), w.plan("readonly", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	if n := w.srv.Connections(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	w.wantCalls(getSessionToken, assumeRole, assumeRole)
	w.wantPrompts(1)

	opened := w.vault.opened
	for _, name := range []string{"admin", "readonly"} {
		w.mustMint(name, provider.Options{})
	}
	w.wantCalls()
	w.wantPrompts(1)
	if w.vault.opened != opened {
		t.Errorf("a warm cache opened a long-lived key")
	}
	if w.mustMint("admin", provider.Options{}) != admin {
		t.Error("the cache gave other credentials")
	}
	// The key's own profile shares the session that the roles were assumed from.
	w.config = strings.Replace(w.config, "[default]", "[default]\nmfa_serial = "+w.device.Serial, 1)
	w.mustMint("default", provider.Options{})
	w.wantCalls()
}

func TestLongRoleGoesStraight(t *testing.T) {
	w := mfaRoles(t)
	creds := w.mustMint("admin", provider.Options{AssumeRoleTTL: 12 * time.Hour})
	w.wantCalls(assumeRole)
	if left := time.Until(creds.Expiration); left < 11*time.Hour {
		t.Errorf("expires in %s", left)
	}
	w.mustMint("admin", provider.Options{AssumeRoleTTL: 12 * time.Hour})
	w.wantCalls()
	w.wantPrompts(1)
}

func TestRefusedParentIsMintedOnceMore(t *testing.T) {
	w := mfaRoles(t)
	w.mustMint("admin", provider.Options{})
	w.srv.RevokeSessions()
	w.srv.ResetCalls()
	w.mustMint("readonly", provider.Options{})
	w.wantCalls(assumeRole+" InvalidClientTokenId", getSessionToken, assumeRole)
	w.wantPrompts(2)

	// The renewed session serves from now on.
	w.later = 50 * time.Minute
	w.mustMint("readonly", provider.Options{})
	w.wantCalls(assumeRole)
}

// A vault that can no longer be written keeps the refused session; that blocks
// nobody.
func TestRefusedSessionThatCannotBeForgotten(t *testing.T) {
	w := newWorld(t).role("readonly", ststest.RoleOptions{}).role("admin", ststest.RoleOptions{})
	w.mustMint("admin", provider.Options{})
	w.srv.RevokeSessions()
	w.srv.ResetCalls()
	w.store.putErr = errors.New("read-only")
	w.mustMint("readonly", provider.Options{})
	w.wantCalls(assumeRole+" InvalidClientTokenId", getSessionToken, assumeRole)
	if !strings.Contains(strings.Join(w.warned, "\n"), "could not forget a refused session") {
		t.Errorf("warnings: %q", w.warned)
	}
}

func TestFreshlyMintedParentIsNotMintedAgain(t *testing.T) {
	w := mfaRoles(t)
	w.srv.Inject(ststest.Fault{Operation: assumeRole, Status: 403, Code: "InvalidClientTokenId"})
	_, err := w.mint("admin", provider.Options{})
	wantError(t, err, provider.ErrRefused, "InvalidClientTokenId")
	w.wantCalls(getSessionToken, assumeRole+" InvalidClientTokenId")
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	w := mfaRoles(t)
	w.store.putErr = errors.New("disk full")
	w.mustMint("admin", provider.Options{})
	if len(w.warned) == 0 {
		t.Error("no warning")
	}
}

func TestNoCache(t *testing.T) {
	w := mfaRoles(t)
	for range 2 {
		m := w.newMinter()
		m.Cache.Disabled = true
		if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
			t.Fatal(err)
		}
		w.wantCalls(getSessionToken, assumeRole)
	}
	if len(w.store.items) != 0 {
		t.Error("--no-cache stored a session")
	}
	w.wantPrompts(2)
}

func TestNoSession(t *testing.T) {
	w := mfaRoles(t)
	key := w.mustMint("default", provider.Options{NoSession: true})
	if key.AccessKeyID != w.key.ID || key.SessionToken != "" || !key.Expiration.IsZero() {
		t.Errorf("got %v", key)
	}
	w.wantCalls()
	w.mustMint("admin", provider.Options{NoSession: true})
	w.wantCalls(assumeRole)
	if len(w.store.items) != 1 {
		t.Errorf("%d items are cached, want the role alone", len(w.store.items))
	}
}

func TestEditedConfigurationIsNeverServedOldCredentials(t *testing.T) {
	w := mfaRoles(t)
	before := w.mustMint("admin", provider.Options{})
	old := w.config
	for what, edit := range map[string]string{
		"external ID":     "external_id = abc123",
		"source identity": "source_identity = alice",
		"session name":    "role_session_name = other",
		"tags":            "session_tags = team=blue",
		"policy":          `policy = {"Version":"2012-10-17","Statement":[]}`,
		"region":          "region = us-east-1",
		"duration":        "duration_seconds = 1800",
	} {
		w.config = old + edit + "\n"
		if after := w.mustMint("admin", provider.Options{}); after == before {
			t.Errorf("%s: the old credentials were served", what)
		}
	}
	w.config = old
	if w.mustMint("admin", provider.Options{}) != before {
		t.Error("the unedited profile lost its session")
	}
	// A key that is stored anew, even the same one, is another root.
	w.vault.put("default", w.key, w.vault.cards["default"])
	if w.mustMint("admin", provider.Options{}) == before {
		t.Error("credentials of the old key were served")
	}
}

func TestCachedStates(t *testing.T) {
	w := mfaRoles(t)
	p := w.plan("admin", provider.Options{})
	if s := w.minter.Cached(t.Context(), p); s[0].Cached || !s[0].Asks || s[1].Cached || s[1].Asks {
		t.Errorf("cold: %+v", s)
	}
	w.mustMint("admin", provider.Options{})
	w.srv.ResetCalls()
	for i, s := range w.minter.Cached(t.Context(), p) {
		if !s.Cached || s.Expiration.IsZero() || s.Asks {
			t.Errorf("warm: step %d is %+v", i, s)
		}
	}
	w.wantCalls()
}

func TestSessionInfo(t *testing.T) {
	w := mfaRoles(t)
	w.mustMint("admin", provider.Options{})
	entries, errs := w.minter.Cache.List(t.Context())
	if len(errs) > 0 || len(entries) != 2 {
		t.Fatalf("entries %v, errors %v", entries, errs)
	}
	for _, e := range entries {
		want := session.Info{Kind: session.KindSessionToken, Profile: "default", KeyProfile: "default", MFASerial: w.device.Serial}
		if e.Info.Kind == session.KindAssumedRole {
			want.Kind, want.Profile, want.RoleARN = session.KindAssumedRole, "admin", roleARN("admin")
		}
		want.Issued, want.Expiration = e.Info.Issued, e.Info.Expiration
		if e.Info != want {
			t.Errorf("info is %+v, want %+v", e.Info, want)
		}
	}
}

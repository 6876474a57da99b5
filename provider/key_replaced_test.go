package provider_test

import (
	"testing"

	"groat/provider"
)

// A process that waited while the key was replaced would keep the new key's
// session where the old one's belongs: it is told to plan anew.
func TestReplacedKeyNeedsANewPlan(t *testing.T) {
	w := mfaRoles(t)
	old := w.plan("admin", provider.Options{})
	w.vault.put("default", w.user.AddAccessKey(), provider.Card{Account: account, UserName: "alice"})
	_, err := w.newMinter().Credentials(t.Context(), old)
	wantError(t, err, provider.ErrKeyReplaced, "default")
	if _, final := isFinal(err); final {
		t.Error("it ends the wait of others")
	}
	w.wantPrompts(0)
	w.wantCalls()
	if n := len(w.store.items); n != 0 {
		t.Errorf("%d sessions are kept", n)
	}
	w.mustMint("admin", provider.Options{})
}

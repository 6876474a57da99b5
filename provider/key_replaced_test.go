package provider_test

import (
	"context"
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

// replacing answers, and meanwhile somebody replaces the key.
type replacing struct{ w *world }

func (r replacing) TokenCode(ctx context.Context, req provider.CodeRequest) (string, error) {
	r.w.vault.put("default", r.w.user.AddAccessKey(), provider.Card{Account: account, UserName: "alice"})
	return r.w.prompt.TokenCode(ctx, req)
}

// What is stored for a key that was replaced during the call is taken back:
// who replaced it could drop only what there was.
func TestASessionOfAKeyReplacedMeanwhileIsNotKept(t *testing.T) {
	w := mfaRoles(t)
	m := w.newMinter()
	m.Codes = replacing{w}
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	if n := len(w.store.items); n != 0 {
		t.Errorf("%d sessions are kept", n)
	}
}

package vault_test

import (
	"errors"
	"testing"

	"groat/vault"
	"groat/vault/accesskey"
)

// A key that a daemon keeps is found by its name alone, although the record
// has only others there; a name that nobody has heard of puts up no dialog.
func TestFindOffTheRecord(t *testing.T) {
	s := newFakeSecrets()
	bus := newFakeBus(t, s.serve)
	cfg := vault.Config{Backend: "secret-service", Environ: bus.environ(true), StateDir: t.TempDir()}
	for _, profile := range []string{"noted", "unnoted"} {
		if _, err := vault.PutKey(t.Context(), mustOpen(t, cfg), profile, accesskey.Key{ID: "AKIAEXAMPLE", Secret: "s"}, vault.Card{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, backend := range []string{"auto", "secret-service"} {
		r := &vault.Registry{Backend: backend, StateDir: cfg.StateDir, Debugf: t.Logf,
			Exists:    func(string) bool { return false },
			Configure: func(backend string) (vault.Config, error) { c := cfg; c.Backend = backend; return c, nil }}
		t.Cleanup(r.Close)
		if err := r.Note("noted", "secret-service"); err != nil {
			t.Fatal(err)
		}
		if found, err := r.Find(t.Context(), "unnoted"); err != nil || found.Card.KeyID != "AKIAEXAMPLE" {
			t.Errorf("%s: %v, %v", backend, found.Card, err)
		}
		s.do(func() { s.locked, s.hides, s.asked = true, true, 0 })
		if _, err := r.Find(t.Context(), "untoned"); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("%s, locked: %v", backend, err)
		}
		s.do(func() {
			if s.asked != 0 {
				t.Errorf("%s: %d dialogs", backend, s.asked)
			}
			s.locked = false
		})
	}
}

package iam

import (
	"encoding/json"
	"strings"
	"testing"

	"groat/vault/fault"
)

// FuzzJournal: whatever a rotation finds of an earlier one, no error quotes
// the secret in it, and the key that works is never up for deletion.
func FuzzJournal(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", "[]", `{"old":"AKIAOLD"}`, `{"old":"AKIAOLD","known":["AKIAOLD"],"holders":["alice"]}`,
		`{"old":"AKIAOLD","known":["AKIAOLD"],"new":"AKIANEW","secret":"a-secret-of-a-key","made":"2026-01-02T03:04:05Z","holders":["alice","copy"],"keep":true}`,
		`{"old":1,"secret":"a-secret-of-a-key"}`, `{"made":"a-secret-of-a-key"}`, `{"secret":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newRotating(t, false)
		current := r.keys["alice"].ID
		w := &rotation{Rotator: r.rotator(&gate{}), client: r.client(r.user.AccessKeys()[0])}
		r.journal[w.journalName()] = strings.ReplaceAll(string(data), "AKIAOLD", current)
		err := w.resume(t.Context())
		if err == nil {
			return
		}
		var left journal
		_ = json.Unmarshal(data, &left)
		said := err.Error() + " " + fault.Hint(err)
		if len(left.Secret) > 3 && strings.Contains(said, left.Secret) {
			t.Errorf("%s: the error quotes the secret: %s", data, said)
		}
		if strings.Contains(said, "--delete-key "+current) {
			t.Errorf("%s: the key that works is up for deletion: %s", data, said)
		}
	})
}

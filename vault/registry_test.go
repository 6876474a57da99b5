package vault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"groat/vault/accesskey"
)

// stored is a vault in memory that says it is another backend, and may be out
// of reach.
type stored struct {
	*Memory
	backend string
	away    error
	asked   int
}

func (s *stored) Backend() string { return s.backend }

func (s *stored) Get(ctx context.Context, kind Kind, name string) ([]byte, error) {
	s.asked++
	if s.away != nil {
		return nil, s.away
	}
	return s.Memory.Get(ctx, kind, name)
}

func (s *stored) Names(ctx context.Context, kind Kind) ([]string, error) {
	if s.away != nil {
		return nil, s.away
	}
	return s.Memory.Names(ctx, kind)
}

// shelf is a registry under "auto" with a vault for each backend, in which the
// keys "BACKEND/PROFILE" are. "auto" itself would choose the file vault.
func shelf(t *testing.T, keys ...string) (*Registry, map[string]*stored) {
	t.Helper()
	r := &Registry{Backend: auto, StateDir: t.TempDir(), Configure: func(string) (Config, error) { return Config{}, ErrUnavailable }}
	vaults := map[string]*stored{}
	for _, backend := range AllBackends {
		vaults[backend] = &stored{Memory: NewMemory(), backend: backend}
		r.Use(backend, vaults[backend])
	}
	r.Use(auto, vaults["file"])
	for i, key := range keys {
		backend, profile, _ := strings.Cut(key, "/")
		if _, err := PutKey(t.Context(), vaults[backend], profile, accesskey.Key{ID: fmt.Sprint("AKID", i), Secret: "s"}, Card{}); err != nil {
			t.Fatal(err)
		}
		vaults[backend].asked = 0
	}
	return r, vaults
}

func note(t *testing.T, r *Registry, keys ...string) {
	t.Helper()
	for _, key := range keys {
		backend, profile, _ := strings.Cut(key, "/")
		if err := r.Note(profile, backend); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	unavailable := fmt.Errorf("%w: no bus", ErrUnavailable)
	for _, c := range []struct {
		name, backend  string
		stored, record []string
		away           string
		want           string // backend, or what the error says
		asked          []string
	}{
		{name: "nothing is on record", stored: []string{"file/p"}, want: "file", asked: []string{"file"}},
		{name: "on record", stored: []string{"file/p", "pass/p"}, record: []string{"pass/p"}, want: "pass", asked: []string{"pass"}},
		{name: "removed behind the record's back", stored: []string{"file/p"}, record: []string{"pass/p"}, want: "not found", asked: []string{"pass"}},
		{name: "where other keys are", stored: []string{"kwallet/p"}, record: []string{"kwallet/q", "pass/r"}, want: "kwallet", asked: []string{"kwallet"}},
		{name: "the recorded one is out of reach", stored: []string{"pass/p"}, record: []string{"pass/p", "keyctl/q"}, away: "pass", want: "no bus"},
		{name: "one of several is out of reach", stored: []string{"pass/p"}, record: []string{"keyctl/q", "pass/r"}, away: "keyctl", want: "pass"},
		{name: "a slip of the finger", record: []string{"kwallet/q", "pass/r"}, want: "not found", asked: []string{"pass"}},
		{name: "a slip of the finger, and the only vault out of reach", record: []string{"pass/q"}, away: "pass", want: "not found"},
		{name: "named", backend: "file", stored: []string{"file/p", "pass/p"}, record: []string{"pass/p"}, want: "file", asked: []string{"file"}},
		{name: "a slip of the finger, and a daemon named", backend: "kwallet", record: []string{"kwallet/q"}, want: "not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, vaults := shelf(t, c.stored...)
			note(t, r, c.record...)
			if c.backend != "" {
				r.Backend = c.backend
			}
			r.Exists = func(string) bool { return !strings.HasPrefix(c.name, "a slip") }
			if c.away != "" {
				vaults[c.away].away = unavailable
			}
			found, err := r.Find(t.Context(), "p")
			if err == nil && (found.Vault.Backend() != c.want || found.Card.Backend != c.want) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, %v, want %s", found.Card, err, c.want)
			}
			var asked []string
			for name, v := range vaults {
				if v.asked > 0 {
					asked = append(asked, name)
				}
			}
			if slices.Sort(asked); c.away == "" && !slices.Equal(asked, c.asked) {
				t.Errorf("asked %q, want %q", asked, c.asked)
			}
		})
	}
}

// A named backend needs no record, not even a readable one.
func TestFindByNameReadsNoRecord(t *testing.T) {
	r, _ := shelf(t, "file/p")
	if err := os.Mkdir(filepath.Join(r.StateDir, recordFile), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find(t.Context(), "p"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("auto: %v", err)
	}
	r.Backend = "file"
	if _, err := r.Find(t.Context(), "p"); err != nil {
		t.Errorf("named: %v", err)
	}
}

// Each answer is as fresh as its question: another process may have replaced
// the key or moved it meanwhile.
func TestFindIsFresh(t *testing.T) {
	r, vaults := shelf(t, "file/p")
	before, err := r.Find(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PutKey(t.Context(), vaults["pass"], "p", accesskey.Key{ID: "AKIDNEW", Secret: "s"}, Card{}); err != nil {
		t.Fatal(err)
	}
	note(t, &Registry{StateDir: r.StateDir}, "pass/p")
	after, err := r.Find(t.Context(), "p")
	if err != nil || after.Card.KeyID != "AKIDNEW" || after.Card.Generation == before.Card.Generation {
		t.Errorf("%v, %v", after.Card, err)
	}
}

func TestAll(t *testing.T) {
	r, vaults := shelf(t, "file/a", "file/twice", "pass/twice", "keyctl/b")
	note(t, r, "pass/twice", "keyctl/b")
	for _, look := range []func(context.Context) (*Stock, error){r.All, r.AllCards} {
		vaults["keyctl"].away = nil
		all, err := look(t.Context())
		if err != nil || all.Lost != nil || all.Backend != "file" || len(all.Vaults) != 3 || len(all.Holders) != 3 {
			t.Fatalf("%+v, %v", all, err)
		}
		if h := all.Holders["twice"]; len(h) != 2 || h[0].Backend() != "pass" {
			t.Errorf("twice is held by %v", h)
		}
		if card, ok := all.Cards["twice"]; ok && card.Backend != "pass" {
			t.Errorf("its card is of %s", card.Backend)
		}
		vaults["keyctl"].away = ErrLocked
		all, err = look(t.Context())
		if err != nil || !errors.Is(all.Lost, ErrLocked) || len(all.Vaults) != 2 || len(all.Holders) != 2 {
			t.Errorf("one is locked: %+v, %v", all, err)
		}
	}
	r.Backend = "keyctl"
	if all, err := r.All(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("the only one is locked: %+v, %v", all, err)
	}
}

// Why "auto" passed a store over is said when a key is stored, once, and not
// at every command.
func TestPassedOverIsSaidOnce(t *testing.T) {
	var said []string
	r := &Registry{StateDir: t.TempDir(), Warn: func(msg string) { said = append(said, msg) }}
	r.keepPassedOver("secret-service: it is locked")
	if len(said) > 0 {
		t.Errorf("said before a key was stored: %q", said)
	}
	note(t, r, "file/first", "file/second")
	if len(said) != 1 || !strings.Contains(said[0], "it is locked") {
		t.Errorf("said %q", said)
	}
}

// An old copy of the record that is put back gives nobody another's key, and
// loses none: one that it does not know is found beside others, one that it
// has elsewhere is said not to be there, until it is named or stored again.
func TestOldRecordPutBack(t *testing.T) {
	r, vaults := shelf(t, "file/a", "pass/b")
	note(t, r, "file/a", "pass/b")
	path := record{r.StateDir}.path()
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pass/a", "file/c"} { // a moves, c is new
		backend, profile, _ := strings.Cut(key, "/")
		if _, err := PutKey(t.Context(), vaults[backend], profile, accesskey.Key{ID: "NEW" + profile, Secret: "s"}, Card{}); err != nil {
			t.Fatal(err)
		}
		note(t, r, key)
	}
	if err := RemoveKey(t.Context(), vaults["file"], "a"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	want := func(profile, backend, id string) {
		t.Helper()
		found, err := r.Find(t.Context(), profile)
		if id == "" && !errors.Is(err, ErrNotFound) || id != "" && (err != nil || found.Vault.Backend() != backend || found.Card.KeyID != id) {
			t.Errorf("%s: %v, %v", profile, found.Card, err)
		}
	}
	want("a", "", "")
	want("b", "pass", "AKID1")
	want("c", "file", "NEWc")
	r.Backend = "pass"
	want("a", "pass", "NEWa")
	r.Backend = auto
	note(t, r, "pass/a")
	want("a", "pass", "NEWa")
	want("b", "pass", "AKID1")
}

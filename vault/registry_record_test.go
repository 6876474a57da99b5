package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

func recordedIn(r *Registry, profile string) (backend string, err error) {
	keys, err := r.Recorded()
	return keys[profile], err
}

func TestRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	r := &Registry{StateDir: dir}
	if b, err := recordedIn(r, "p"); b != "" || err != nil {
		t.Error("a record without a file")
	}
	if err := r.Forget("p", "file"); err != nil {
		t.Errorf("Forget of what was never recorded: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("reading and forgetting created the state directory")
	}
	for _, note := range [][2]string{{"p", "file"}, {"q", "secret-service"}, {"p", "kwallet"}} {
		if err := r.Note(note[0], note[1]); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := recordedIn(r, "p"); err != nil || b != "kwallet" {
		t.Errorf("p is in %q, %v", b, err)
	}
	if keys, err := r.Recorded(); err != nil || !slices.Equal(backendsOf(keys), []string{"kwallet", "secret-service"}) {
		t.Errorf("backends of %q", keys)
	}
	r.Backend = "file"
	if got := r.Elsewhere("q"); !strings.Contains(got, "--backend secret-service") {
		t.Errorf("hint %q", got)
	}
	r.Backend = "kwallet"
	for _, profile := range []string{"p", "nobody"} {
		if got := r.Elsewhere(profile); got != "" {
			t.Errorf("needless hint %q", got)
		}
	}
	if err := r.Forget("p", "file"); err != nil {
		t.Fatal(err)
	}
	if b, _ := recordedIn(r, "p"); b != "kwallet" {
		t.Errorf("a copy in another backend was removed, and p was forgotten")
	}
	if err := r.Forget("p", "kwallet"); err != nil {
		t.Fatal(err)
	}
	if b, err := recordedIn(r, "p"); b != "" || err != nil {
		t.Error("p was not forgotten")
	}
	if b, _ := recordedIn(r, "q"); b != "secret-service" {
		t.Error("q was forgotten too")
	}
}

// A damaged record, or one that names what cannot be, is no record; the next
// key is recorded all the same.
func TestDamagedRecord(t *testing.T) {
	for name, content := range map[string]string{
		"empty":     "",
		"null":      "null",
		"array":     "[]",
		"truncated": `{"keys":{"p":"fi`,
		"no such":   `{"keys":{"p":"../../bin/sh"}}`,
		"auto":      `{"keys":{"p":"auto"}}`,
		"binary":    "\x00\xff",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := &Registry{StateDir: dir}
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, recordFile), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if b, err := recordedIn(r, "p"); b != "" || err != nil {
				t.Errorf("recorded in %q, %v", b, err)
			}
			if err := r.Note("p", "file"); err != nil {
				t.Fatal(err)
			}
			if b, _ := recordedIn(r, "p"); b != "file" {
				t.Errorf("recorded in %q", b)
			}
		})
	}
}

func TestConcurrentRecords(t *testing.T) {
	r := &Registry{StateDir: t.TempDir()}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := r.Note(fmt.Sprint("p", i), "file"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, err := r.Recorded(); err != nil || len(all) != 40 {
		t.Errorf("%d of 40 records were kept, %v", len(all), err)
	}
}

func TestUnwritableRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&Registry{StateDir: filepath.Join(file, "state")}).Note("p", "file"); err == nil {
		t.Error("recorded below a regular file")
	}
}

// A record that others can read or write is neither believed nor written
// over: a restored backup must not make keys vanish, nor the next `add` lose
// where the others lie.
func TestRecordOpenToOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	dir := t.TempDir()
	r := &Registry{StateDir: dir}
	if err := r.Note("p", "pass"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, recordFile), 0o644); err != nil {
		t.Fatal(err)
	}
	_, rerr := recordedIn(r, "p")
	_, cerr := Open(Config{Backend: "auto", StateDir: dir, FileDir: filepath.Join(dir, "vault")})
	for what, err := range map[string]error{"Recorded": rerr, "Open": cerr, "Record": r.Note("q", "file"), "Forget": r.Forget("p", "pass")} {
		var e *Error
		if !errors.Is(err, ErrUnavailable) || !errors.As(err, &e) || !strings.Contains(e.Remedy, "chmod 600") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, recordFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := recordedIn(r, "p"); b != "pass" || err != nil {
		t.Errorf("p is in %q, %v", b, err)
	}
}

// A lock that cannot be made is not one that somebody holds.
func TestLockThatCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Locks{Dir: filepath.Join(file, "locks"), Backend: "file"}.Hold(t.Context(), "x")
	var e *Error
	if !errors.Is(err, ErrUnavailable) || !errors.As(err, &e) || !strings.Contains(e.Remedy, "can be written") {
		t.Errorf("%v", err)
	}
}

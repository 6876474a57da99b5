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

func TestRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if b, err := Recorded(dir, "p"); b != "" || err != nil {
		t.Error("a record without a file")
	}
	if err := Forget(dir, "p", "file"); err != nil {
		t.Errorf("Forget of what was never recorded: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("reading and forgetting created the state directory")
	}
	for _, r := range [][2]string{{"p", "file"}, {"q", "secret-service"}, {"p", "kwallet"}} {
		if err := Record(dir, r[0], r[1]); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := Recorded(dir, "p"); err != nil || b != "kwallet" {
		t.Errorf("p is in %q, %v", b, err)
	}
	if got, err := RecordedBackends(dir); err != nil || !slices.Equal(got, []string{"kwallet", "secret-service"}) {
		t.Errorf("backends %q", got)
	}
	if got := ElsewhereHint(dir, "q", "file"); !strings.Contains(got, "--backend secret-service") {
		t.Errorf("hint %q", got)
	}
	for _, profile := range []string{"p", "nobody"} {
		if got := ElsewhereHint(dir, profile, "kwallet"); got != "" {
			t.Errorf("needless hint %q", got)
		}
	}
	if err := Forget(dir, "p", "file"); err != nil {
		t.Fatal(err)
	}
	if b, _ := Recorded(dir, "p"); b != "kwallet" {
		t.Errorf("a copy in another backend was removed, and p was forgotten")
	}
	if err := Forget(dir, "p", "kwallet"); err != nil {
		t.Fatal(err)
	}
	if b, err := Recorded(dir, "p"); b != "" || err != nil {
		t.Error("p was not forgotten")
	}
	if b, _ := Recorded(dir, "q"); b != "secret-service" {
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
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, recordFile), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if b, err := Recorded(dir, "p"); b != "" || err != nil {
				t.Errorf("recorded in %q, %v", b, err)
			}
			if err := Record(dir, "p", "file"); err != nil {
				t.Fatal(err)
			}
			if b, _ := Recorded(dir, "p"); b != "file" {
				t.Errorf("recorded in %q", b)
			}
		})
	}
}

func TestConcurrentRecords(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if err := Record(dir, fmt.Sprint("p", i), "file"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, err := Records(dir); err != nil || len(all) != 40 {
		t.Errorf("%d of 40 records were kept, %v", len(all), err)
	}
}

func TestUnwritableRecord(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Record(filepath.Join(file, "state"), "p", "file"); err == nil {
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
	if err := Record(dir, "p", "pass"); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, recordFile), 0o644); err != nil {
		t.Fatal(err)
	}
	_, rerr := Recorded(dir, "p")
	_, cerr := Open(Config{Backend: "auto", StateDir: dir, FileDir: filepath.Join(dir, "vault")})
	for what, err := range map[string]error{"Recorded": rerr, "Open": cerr, "Record": Record(dir, "q", "file"), "Forget": Forget(dir, "p", "pass")} {
		var e *Error
		if !errors.Is(err, ErrUnavailable) || !errors.As(err, &e) || !strings.Contains(e.Remedy, "chmod 600") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, recordFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Recorded(dir, "p"); b != "pass" || err != nil {
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

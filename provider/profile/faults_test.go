package profile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"groat/vault/files"
)

// died is what a system call panics with when the process “dies” in it.
type died struct{}

// faulty lets the operation number at fail, or the process die in it. A
// write that fails has written half.
type faulty struct {
	at, count int
	die       bool
	err       error
	plain     bool            // the system can neither exchange files nor rename without replacing
	stuck     bool            // the failing operation was a remove
	late      func(op string) // what another program does right before an operation
}

func (f *faulty) before(op, _ string) error {
	if f.plain && (op == "exchange" || op == "rename-new") {
		return errors.ErrUnsupported
	}
	if f.late != nil {
		f.late(op)
	}
	f.count++
	switch {
	case f.count < f.at || f.count > f.at && !f.die || f.at == 0:
		return nil
	case f.die:
		panic(died{}) // a dead process does nothing more, its deferred calls neither
	}
	f.stuck = op == "remove"
	return f.err
}

// Whatever operation fails or kills the process, the file is the old or the
// new one, whole; an error means the old one, with nothing left beside it.
func TestEveryFaultLeavesOldOrNew(t *testing.T) {
	const old = "[default]\nregion = x\n# kept\n"
	const changed = "[default]\nregion = x\nmfa_serial = s\n# kept\n"
	for _, way := range []struct{ die, plain bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		die := way.die
		for _, missing := range []bool{false, true} {
			for at := 1; ; at++ {
				dir := t.TempDir()
				path := filepath.Join(dir, "config")
				wantOld, wantNew := old, changed
				if missing {
					wantOld, wantNew = "", "[default]\nmfa_serial = s\n"
				} else {
					writeFile(t, path, old, 0o640)
				}
				f := &faulty{at: at, die: die, plain: way.plain, err: syscall.ENOSPC}
				dead, err := editUnderFault(path, f)
				name := fmt.Sprintf("%+v missing=%v at=%d", way, missing, at)
				data, readErr := os.ReadFile(path)
				if text := string(data); text != wantOld && text != wantNew || readErr != nil && !missing {
					t.Errorf("%s: neither old nor new: %q, %v", name, text, readErr)
				}
				if err == nil && !dead && string(data) != wantNew { // a failed sweep or sync stops nothing
					t.Errorf("%s: no error, but %q", name, data)
				}
				if err != nil && (string(data) != wantOld || !errors.Is(err, syscall.ENOSPC)) {
					t.Errorf("%s: error %v, but %q", name, err, data)
				}
				if entries, _ := os.ReadDir(dir); !dead && !f.stuck && len(entries) > 1 {
					t.Errorf("%s: left behind %v", name, entries)
				}
				if fi, err := os.Stat(path); err == nil && !missing && fi.Mode().Perm() != 0o640 && os.PathSeparator == '/' {
					t.Errorf("%s: mode %v", name, fi.Mode())
				}
				if f.count < at {
					if at < 7 {
						t.Errorf("only %d operations", at)
					}
					break
				}
			}
		}
	}
}

func editUnderFault(path string, f *faulty) (dead bool, err error) {
	return underFault(path, false, f, func(d *Document) error { return d.Set("default", "mfa_serial", "s") })
}

func underFault(path string, credentials bool, f *faulty, edit func(*Document) error) (dead bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(died); !ok {
				panic(r)
			}
			dead = true
		}
	}()
	_, err = EditFile(context.Background(), path, EditOptions{Credentials: credentials, disk: files.Disk{Before: f.before}}, edit)
	return false, err
}

// What a killed edit left behind goes with the next one.
func TestNextEditSweeps(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("without the directory's lock nobody may sweep")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "config")
	writeFile(t, path, "[default]\n", 0o600)
	writeFile(t, filepath.Join(dir, ".config.groat-123"), "half", 0o600)
	writeFile(t, filepath.Join(dir, ".config.other"), "not ours", 0o600)
	if err := SetKeys(context.Background(), path, "default", KeyValue{"region", "x"}); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 || entries[0].Name() != ".config.other" {
		t.Errorf("left: %v", entries)
	}
}

// A file that cannot be replaced says so and says what to do.
func TestUnreplaceableFileIsExplained(t *testing.T) {
	for _, cause := range []error{syscall.EBUSY, syscall.EROFS, syscall.EACCES} { // by rename, the way of all systems
		path := filepath.Join(t.TempDir(), "config")
		writeFile(t, path, "[default]\n", 0o600)
		f := &faulty{at: 1 << 30, plain: true}
		if _, err := editUnderFault(path, f); err != nil {
			t.Fatal(err)
		}
		writeFile(t, path, "[default]\n", 0o600)
		rename := f.count - 1 // then the directory is synced
		_, err := editUnderFault(path, &faulty{at: rename, err: cause, plain: true})
		var pe *Error
		if !errors.Is(err, cause) || !errors.Is(err, ErrAccess) || !errors.As(err, &pe) || !strings.Contains(pe.Hint(), "by hand") {
			t.Errorf("%v: error %v", cause, err)
		}
	}
}

// Edits of this tool wait for each other: none is lost.
func TestConcurrentEditsAllCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, "[default]\nregion = x\n", 0o600)
	const n = 20
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			errs[i] = SetKeys(context.Background(), path, fmt.Sprintf("p%d", i%5), KeyValue{fmt.Sprintf("key%d", i), "v"})
		})
	}
	wg.Wait()
	text := readFile(t, path)
	for i := range n {
		if errs[i] != nil && !errors.Is(errs[i], ErrConflict) {
			t.Errorf("edit %d: %v", i, errs[i])
		}
		if got := strings.Contains(text, fmt.Sprintf("key%d = v\n", i)); got != (errs[i] == nil) {
			t.Errorf("edit %d: there: %v, error %v", i, got, errs[i])
		}
		if errs[i] != nil && os.PathSeparator == '/' {
			t.Errorf("edit %d was refused although edits wait for each other: %v", i, errs[i])
		}
	}
}

// Not even a write between the last look and the exchange is lost.
func TestLastInstantEditIsDetected(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux exchanges files")
	}
	path := filepath.Join(t.TempDir(), "config")
	writeFile(t, path, "[default]\n", 0o600)
	const theirs = "[default]\noutput = json\n"
	f := &faulty{late: func(op string) {
		if op == "exchange" && readFile(t, path) != theirs {
			writeFile(t, path, theirs, 0o600)
		}
	}}
	if _, err := editUnderFault(path, f); !errors.Is(err, ErrConflict) || readFile(t, path) != theirs {
		t.Errorf("error %v, text %q", err, readFile(t, path))
	}
}

// Whatever operation fails or kills the process, a secret that was taken out
// of the credentials file is in no other file.
func TestNoCopyOfWhatWasTakenOut(t *testing.T) {
	const secret = "wJalrXUtnFEMI"
	for _, die := range []bool{false, true} {
		for at := 1; ; at++ {
			path := filepath.Join(t.TempDir(), "credentials")
			writeFile(t, path, "[x]\nregion = a\naws_secret_access_key = "+secret+"\n", 0o600)
			f := &faulty{at: at, die: die, err: syscall.EIO}
			_, _ = underFault(path, true, f, func(d *Document) error { return d.Remove("x", "aws_secret_access_key") })
			entries, err := os.ReadDir(filepath.Dir(path))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Name() != "credentials" && strings.Contains(readFile(t, filepath.Join(filepath.Dir(path), e.Name())), secret) {
					t.Errorf("die=%v at=%d: the secret is in %s", die, at, e.Name())
				}
			}
			if f.count < at {
				if strings.Contains(readFile(t, path), secret) {
					t.Error("it was not taken out")
				}
				break
			}
		}
	}
}

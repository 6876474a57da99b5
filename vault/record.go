package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"groat/vault/files"
)

// recordFile, in the state directory, remembers which backend each key was
// put into, so that "auto" looks for a key where it lies, whatever is running
// at the time. It holds profile names and backend names, no secret, and is
// written whole: temporary file, sync, rename. A lost or damaged record loses
// no key: keys are then looked for where "auto" would put them. One that is
// there and may not be read or believed is an error: without it keys would
// seem to have vanished, and the next one written would forget them.
//
//	{"keys":{"default":"secret-service","prod":"file"}}
const recordFile = "backends.json"

// maxRecord bounds what is read of it, in bytes.
const maxRecord = 4 << 20

type record struct {
	Keys map[string]string `json:"keys"` // profile → backend
}

// Recorded says into which backend a profile's key was put, by one small
// read; "" when no key of this name is known.
func Recorded(stateDir, profile string) (backend string, err error) {
	r, err := readRecord(stateDir)
	return r.Keys[profile], err
}

// Records maps every profile whose key was recorded to its backend.
func Records(stateDir string) (map[string]string, error) {
	r, err := readRecord(stateDir)
	return r.Keys, err
}

// RecordedBackends lists the backends in which recorded keys lie, sorted.
func RecordedBackends(stateDir string) ([]string, error) {
	r, err := readRecord(stateDir)
	seen := map[string]bool{}
	for _, b := range r.Keys {
		seen[b] = true
	}
	return slices.Sorted(maps.Keys(seen)), err
}

// Record remembers that a profile's key lies in a backend.
func Record(stateDir, profile, backend string) error {
	return changeRecord(stateDir, func(keys map[string]string) bool {
		if keys[profile] == backend {
			return false
		}
		keys[profile] = backend
		return true
	})
}

// Forget drops the record that a profile's key lies in a backend. One of
// another backend stays: a copy was removed there, not the key.
func Forget(stateDir, profile, backend string) error {
	if where, err := Recorded(stateDir, profile); where != backend || err != nil {
		return err // nothing to lock, nothing to write
	}
	return changeRecord(stateDir, func(keys map[string]string) bool {
		lies := keys[profile] == backend
		if lies {
			delete(keys, profile)
		}
		return lies
	})
}

// ElsewhereHint is what to tell somebody whose key was not found in a
// backend while the record has it in another one; "" when it has not.
func ElsewhereHint(stateDir, profile, backend string) string {
	where, err := Recorded(stateDir, profile)
	if err != nil || where == "" || where == backend {
		return ""
	}
	return fmt.Sprintf("its key was put into the %s vault: use --backend %s", where, where)
}

// readRecord reads what there is. Names of backends that do not exist are
// left out: the file is no way to make us open anything else.
func readRecord(stateDir string) (record, error) {
	r := record{Keys: map[string]string{}}
	data, err := files.Read(filepath.Join(stateDir, recordFile), maxRecord, files.Private)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return r, nil
	}
	if err != nil {
		e := &Error{Op: "read which vault holds which key", Backend: "auto", Err: fmt.Errorf("%w: %w", ErrUnavailable, err), Remedy: "name the backend with --backend"}
		var access *files.AccessError
		if errors.As(err, &access) && access.Remedy != "" {
			e.Remedy = access.Remedy
		}
		return r, e
	}
	var stored record
	if json.Unmarshal(data, &stored) != nil {
		return r, nil
	}
	for profile, backend := range stored.Keys {
		if slices.Contains(AllBackends, backend) {
			r.Keys[profile] = backend
		}
	}
	return r, nil
}

// changeRecord rewrites the record under a lock, when change says so.
func changeRecord(stateDir string, change func(map[string]string) bool) error {
	fail := func(err error) error {
		return fmt.Errorf("could not write %s: %w", filepath.Join(stateDir, recordFile), err)
	}
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return fail(err)
	}
	release, err := Locks{Dir: filepath.Join(stateDir, "locks"), Backend: "auto"}.Hold(context.Background(), recordFile)
	if err != nil {
		return fail(err)
	}
	defer release()
	r, err := readRecord(stateDir)
	if err != nil {
		return err
	}
	if !change(r.Keys) {
		return nil
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fail(err)
	}
	if err := (files.Disk{}).Write(filepath.Join(stateDir, recordFile), append(data, '\n')); err != nil {
		return fail(err)
	}
	return nil
}

// soleRecorded is the one backend in which all recorded keys lie, else "".
func soleRecorded(stateDir string) (string, error) {
	all, err := RecordedBackends(stateDir)
	if err != nil || len(all) != 1 {
		return "", err
	}
	return all[0], nil
}

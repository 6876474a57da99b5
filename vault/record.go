package vault

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// recordFile, in the state directory, remembers which backend each key was
// put into, so that "auto" looks for a key where it lies, whatever is running
// at the time. It holds profile names and backend names, no secret, and is
// written whole: temporary file, sync, rename. A lost or damaged record loses
// no key: keys are then looked for where "auto" would put them.
//
//	{"keys":{"default":"secret-service","prod":"file"}}
const recordFile = "backends.json"

// maxRecord bounds what is read of it, in bytes.
const maxRecord = 4 << 20

type record struct {
	Keys map[string]string `json:"keys"` // profile → backend
}

// Recorded says into which backend a profile's key was put, by one small
// read. ok is false when no key of this name is known.
func Recorded(stateDir, profile string) (backend string, ok bool) {
	backend, ok = readRecord(stateDir).Keys[profile]
	return backend, ok
}

// Records maps every profile whose key was recorded to its backend.
func Records(stateDir string) map[string]string {
	return readRecord(stateDir).Keys
}

// RecordedBackends lists the backends in which recorded keys lie, sorted.
func RecordedBackends(stateDir string) []string {
	seen := map[string]bool{}
	for _, b := range readRecord(stateDir).Keys {
		seen[b] = true
	}
	return slices.Sorted(maps.Keys(seen))
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

// Forget drops a profile's record; a missing one is no error.
func Forget(stateDir, profile string) error {
	if _, ok := Recorded(stateDir, profile); !ok {
		return nil // nothing to lock, nothing to write
	}
	return changeRecord(stateDir, func(keys map[string]string) bool {
		_, ok := keys[profile]
		delete(keys, profile)
		return ok
	})
}

// ElsewhereHint is what to tell somebody whose key was not found in a
// backend while the record has it in another one; "" when it has not.
func ElsewhereHint(stateDir, profile, backend string) string {
	where, ok := Recorded(stateDir, profile)
	if !ok || where == backend {
		return ""
	}
	return fmt.Sprintf("its key was put into the %s vault: use --backend %s", where, where)
}

// readRecord reads what can be read. Names of backends that do not exist
// are left out: the file is no way to make us open anything else.
func readRecord(stateDir string) record {
	r := record{Keys: map[string]string{}}
	data, err := disk{}.readFile(filepath.Join(stateDir, recordFile), maxRecord)
	if err != nil {
		return r
	}
	var stored record
	if json.Unmarshal(data, &stored) != nil {
		return r
	}
	for profile, backend := range stored.Keys {
		if slices.Contains(AllBackends, backend) {
			r.Keys[profile] = backend
		}
	}
	return r
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
	r := readRecord(stateDir)
	if !change(r.Keys) {
		return nil
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fail(err)
	}
	if err := (disk{}).writeFile(filepath.Join(stateDir, recordFile), append(data, '\n')); err != nil {
		return fail(err)
	}
	return nil
}

// soleRecorded is the one backend in which all recorded keys lie.
func soleRecorded(stateDir string) (string, bool) {
	all := RecordedBackends(stateDir)
	if len(all) != 1 {
		return "", false
	}
	return all[0], true
}

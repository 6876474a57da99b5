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
// put into, so that "auto" looks for a key where it is, whatever is running
// at the time. It holds profile names and backend names, no secret, and is
// written whole: temporary file, sync, rename. A lost or damaged record loses
// no key: keys are then looked for where "auto" would put them. One that is
// there and may not be read or believed is an error: without it keys would
// seem to have vanished, and the next one written would forget them.
//
//	{"version":1,"keys":{"default":"secret-service","prod":"file"}}
const (
	recordFile    = "backends.json"
	recordVersion = 1
)

// maxRecord bounds what is read of it, in bytes.
const maxRecord = 4 << 20

// record is the record in a state directory.
type record struct{ dir string }

// recorded is its content.
type recorded struct {
	Version int               `json:"version"` // 0 is read as 1
	Keys    map[string]string `json:"keys"`    // profile → backend
}

func (r record) path() string { return filepath.Join(r.dir, recordFile) }

// read gives the backend of each profile by one small read. Names of backends
// that do not exist are left out: the file is no way to make us open anything
// else.
func (r record) read() (map[string]string, error) {
	keys := map[string]string{}
	data, err := files.Read(r.path(), maxRecord, files.Private)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return keys, nil
	}
	if err != nil {
		e := &Error{Op: "read which vault holds which key", Backend: auto, Err: because(ErrUnavailable, "%w", err), Remedy: "name the backend with --backend"}
		var access *files.AccessError
		if errors.As(err, &access) && access.Remedy != "" {
			e.Remedy = access.Remedy
		}
		return keys, e
	}
	var stored recorded
	if json.Unmarshal(data, &stored) != nil {
		return keys, nil
	}
	if stored.Version > recordVersion {
		return keys, &Error{Op: "read which vault holds which key", Backend: auto, Err: errNewer, Remedy: remedyNewer + ", or name the backend with --backend"}
	}
	for profile, backend := range stored.Keys {
		if slices.Contains(AllBackends, backend) {
			keys[profile] = backend
		}
	}
	return keys, nil
}

// change rewrites the record under a lock, where change says so.
func (r record) change(change func(map[string]string) bool) error {
	fail := func(err error) error {
		return fmt.Errorf("could not write %s: %w", r.path(), err)
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fail(err)
	}
	release, err := Config{StateDir: r.dir}.locks(auto).Hold(context.Background(), recordFile)
	if err != nil {
		return fail(err)
	}
	defer release()
	keys, err := r.read()
	if err != nil {
		return err
	}
	if !change(keys) {
		return nil
	}
	data, err := json.Marshal(recorded{recordVersion, keys})
	if err != nil {
		return fail(err)
	}
	if err := (files.Disk{}).Write(r.path(), append(data, '\n')); err != nil {
		return fail(err)
	}
	return nil
}

// backendsOf lists the backends in which recorded keys are, sorted.
func backendsOf(keys map[string]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(keys)))
}

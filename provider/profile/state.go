package profile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"groat/vault/fault"
	"groat/vault/files"
)

// stateFile is a JSON file of ours in the state directory. Neither it nor its
// folder may be anybody else's.
type stateFile struct {
	path string
	what string // "the undo data"
	disk files.Disk
}

// stateFormat is the version of these files' format.
const stateFormat = 1

// read fills a struct; a missing file leaves it as it is.
func (s stateFile) read(into any) error {
	err := s.disk.CheckFolder(filepath.Dir(s.path))
	var data []byte
	if err == nil {
		data, err = s.disk.Read(s.path, maxFile, files.Private)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // HOME=/dev/null, as services have it
		return nil
	}
	var format struct{ Version int }
	if err == nil {
		err = json.Unmarshal(data, &format)
	}
	if err == nil && format.Version != stateFormat {
		err = fault.New("another version of groat wrote it", "use that version of groat, or delete the file", nil)
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("could not read %s in %s: %w", s.what, s.path, accessError{err})
	}
	return nil
}

// change reads the file into a struct, has it changed and writes it, one
// process at a time.
func (s stateFile) change(ctx context.Context, into any, edit func()) error {
	dir := filepath.Dir(s.path)
	if err := s.disk.MakeFolder(dir); err != nil {
		return fmt.Errorf("could not write %s to %s: %w", s.what, s.path, accessError{err})
	}
	unlock, _ := lockDirectory(ctx, dir)
	defer unlock()
	if err := s.read(into); err != nil {
		return err
	}
	edit()
	text, err := json.MarshalIndent(into, "", "  ")
	if err != nil {
		return err
	}
	if err := s.disk.Write(s.path, append(text, '\n')); err != nil {
		return fmt.Errorf("could not write %s to %s: %w", s.what, s.path, err)
	}
	return nil
}

package profile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/diff"

	"groat/vault/files"
)

// EditOptions are the circumstances of an edit.
type EditOptions struct {
	// Credentials says that the file is a credentials file: no copy of what is
	// taken out of it stays beside it, even after a crash.
	Credentials bool
	// DryRun writes nothing.
	DryRun bool

	disk files.Disk // the system's; tests let it fail
}

// KeyValue is a key and the value it shall have.
type KeyValue struct{ Key, Value string }

// editTries is how often SetKeys starts anew when another program changes
// the file in the midst.
const editTries = 3

// SetKeys sets keys of one profile in the config file, which is created,
// private to its owner, if it is missing.
func SetKeys(ctx context.Context, path, profile string, pairs ...KeyValue) error {
	var err error
	for range editTries {
		_, err = EditFile(ctx, path, EditOptions{}, func(d *Document) error {
			for _, p := range pairs {
				if err := d.Set(profile, p.Key, p.Value); err != nil {
					return err
				}
			}
			return nil
		})
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}

// EditFile lets edit change a file's document and writes the result: whole
// or not at all, keeping the file's mode and owner, and through symlinks. It
// returns the change as a unified diff in which keys are masked, "" if there
// is none.
//
// An error wraps ErrConflict if another program changed the file meanwhile;
// nothing was written then. Where the file cannot be replaced (a mount
// point, a directory that is not writable) the error says so.
func EditFile(ctx context.Context, path string, o EditOptions, edit func(*Document) error) (string, error) {
	real, err := files.Real(path)
	if err != nil {
		return "", editError(path, err)
	}
	// A rename over AWS_CONFIG_FILE=/dev/null would take the device away.
	if info, err := os.Stat(real); err == nil && !info.Mode().IsRegular() {
		return "", editError(path, files.ErrIrregular)
	}
	if !o.DryRun {
		unlock, alone := lockDirectory(ctx, filepath.Dir(real))
		defer unlock()
		if alone {
			o.disk.SweepBeside(real)
		}
	}
	// Through the links, whose folders count; on a Windows drive too.
	old, err := o.disk.Read(path, maxFile, files.Steering)
	_, err = verdict(err)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", editError(path, err)
	}
	d := NewDocument(path, string(old), o.Credentials)
	if err := edit(d); err != nil {
		return "", err
	}
	if d.text == string(old) {
		return "", nil
	}
	change := maskedDiff(path, string(old), d.text)
	if o.DryRun {
		return change, nil
	}
	err = o.disk.Replace(real, old, []byte(d.text), maxFile, o.Credentials)
	if errors.Is(err, files.ErrChanged) {
		err = ErrConflict
	}
	if err != nil {
		return "", editError(path, err)
	}
	return change, nil
}

// editError says what could not be done, and the way out.
func editError(path string, err error) error {
	if errors.As(err, new(*Error)) {
		return err
	}
	if !errors.Is(err, ErrConflict) {
		err = accessError{err}
	}
	e := &Error{File: path, Err: fmt.Errorf("could not change %s: %w", path, err)}
	switch {
	case errors.Is(err, ErrConflict):
		e.Remedy = "run the command again"
	case errors.Is(err, files.ErrIrregular):
		e.Remedy = "name a file in AWS_CONFIG_FILE or AWS_SHARED_CREDENTIALS_FILE, or unset them"
	case errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV):
		e.Remedy = "the file is a mount point and cannot be replaced: --dry-run shows the lines to write by hand"
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS):
		e.Remedy = "the file or its directory is not writable: --dry-run shows the lines to write by hand"
	}
	return e
}

// maskedDiff is a unified diff without the values of access keys.
func maskedDiff(path, old, text string) string {
	out := string(diff.Diff(path, []byte(old), path, []byte(text)))
	_, out, _ = strings.Cut(out, "\n") // the line “diff a b” is no part of the format
	lines := strings.SplitAfter(out, "\n")
	for i, line := range lines {
		lines[i] = maskLine(line)
	}
	return strings.Join(lines, "")
}

// secretKeys are the keys whose values are never shown or recorded.
var secretKeys = []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token"}

// maskLine hides what follows the name of a secret key, in comments too.
func maskLine(line string) string {
	lower := strings.ToLower(line)
	for _, key := range secretKeys {
		if i := strings.Index(lower, key); i >= 0 {
			rest := strings.TrimRight(line, "\r\n")
			return rest[:i+len(key)] + " = ****" + line[len(rest):]
		}
	}
	return line
}

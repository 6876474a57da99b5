package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"groat/vault/files"
)

// requestLog is the record of who asked for which credentials: a line of JSON
// each, in the state directory, while it is switched on. Writers need no lock;
// a file that has grown to the limit becomes the old one.
type requestLog struct {
	dir   string
	limit int64 // bytes
}

const maxLog = 4 << 20

func (p *paths) requestLog() requestLog { return requestLog{p.state, maxLog} }

func (l requestLog) path() string { return filepath.Join(l.dir, "log.jsonl") }
func (l requestLog) old() string  { return filepath.Join(l.dir, "log.old.jsonl") }

// mark is the file that says that the log is on.
func (l requestLog) mark() string { return filepath.Join(l.dir, "log.on") }

// logEntry is one line. It holds no secret: the ID of an access key is none.
type logEntry struct {
	Time        string  `json:"time"` // RFC 3339, UTC
	Profile     string  `json:"profile"`
	Command     string  `json:"command"`
	Result      string  `json:"result"`
	RoleARN     *string `json:"role_arn"`
	SessionName *string `json:"session_name"`
	AccessKeyID *string `json:"access_key_id"` // null: none was handed out
	Expiration  *string `json:"expiration"`
	Caller      *string `json:"caller"` // paths of programs, the nearest first
	Agent       *string `json:"agent"`
}

func (l requestLog) on() bool {
	_, err := os.Lstat(l.mark())
	return err == nil
}

// turn switches the log on or off. What was written stays.
func (l requestLog) turn(on bool) error {
	if !on {
		if err := os.Remove(l.mark()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if err := (files.Disk{}).MakeFolder(l.dir); err != nil {
		return err
	}
	return files.Disk{}.Write(l.mark(), nil)
}

func (l requestLog) append(e logEntry) error {
	if err := (files.Disk{}).CheckFolder(l.dir); err != nil {
		return err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	size, err := files.Append(l.path(), append(escapeInvisible(line), '\n'))
	if err == nil && size >= l.limit {
		err = l.rotate()
	}
	return err
}

// rotate makes the file the old one. Of several that see it full, one does.
func (l requestLog) rotate() error {
	lock := flock.New(l.path()+".lock", flock.SetPermissions(0o600))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	if st, err := os.Lstat(l.path()); err != nil || st.Size() < l.limit {
		return nil //nolint:nilerr // another one was quicker
	}
	return os.Rename(l.path(), l.old())
}

// read gives the lines, the oldest first, and how many cannot be read (a full
// disk cuts one off).
func (l requestLog) read() (entries []logEntry, damaged int, err error) {
	for _, path := range []string{l.old(), l.path()} {
		// Lines that came in while the file was moved may exceed the limit.
		data, err := files.Read(path, 2*int(l.limit), files.Private)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, 0, err
		}
		for line := range bytes.Lines(data) {
			var e logEntry
			if json.Unmarshal(line, &e) != nil {
				damaged++
				continue
			}
			entries = append(entries, e)
		}
	}
	return entries, damaged, nil
}

// kept are the files that hold lines.
func (l requestLog) kept() (paths []string) {
	for _, path := range []string{l.path(), l.old()} {
		if _, err := os.Lstat(path); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

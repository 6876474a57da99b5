package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Rule says whose hand may have been in a file that is read.
type Rule uint8

const (
	// Any file or pipe will do: a person named it on the command line.
	Any Rule = iota
	// Stream is Steering for what may also be a pipe. Opening a named one
	// waits for its writer.
	Stream
	// Steering is for a file that decides what groat does: a regular one that
	// belongs to us or root and that nobody else can write to, nor to its
	// folder, unless that is sticky. A user private group is nobody else.
	// Symbolic links are followed, and the folder of each counts.
	Steering
	// Private is for files of our own: nobody else may even read them, and a
	// symbolic link is refused.
	Private
)

// What a file must not be; both are wrapped in a *fs.PathError.
var (
	ErrTooLarge  = errors.New("the file is too large")
	ErrIrregular = errors.New("it is not a regular file")
)

// AccessError is a file or folder that others may have written to.
type AccessError struct {
	Path   string
	What   string // "belongs to another user (1001)"
	Remedy string // a command, or what to do in words; "" if there is none
	// Drive says that the file lies on a Windows drive under WSL, where every
	// file looks writable by all. Its content comes with the error.
	Drive bool
}

// Error is one line.
func (e *AccessError) Error() string { return e.Path + " " + e.What }

// Hint is the remedy, for the one place that prints it.
func (e *AccessError) Hint() string { return e.Remedy }

// Read reads a whole file of at most limit bytes through one descriptor, on
// which the rule is checked before the content. But for Stream it waits for
// nobody to open the other end of a pipe. The null device is an empty file.
//
// Errors are *AccessError, or a *fs.PathError that may wrap ErrIrregular or
// ErrTooLarge.
func Read(path string, limit int, rule Rule) ([]byte, error) {
	return Disk{}.Read(path, limit, rule)
}

// Read is the function Read.
func (d Disk) Read(path string, limit int, rule Rule) ([]byte, error) {
	if err := d.step("open", path); err != nil {
		return nil, err
	}
	if strings.EqualFold(path, os.DevNull) {
		return nil, nil
	}
	f, err := open(path, rule)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	refuse := func(err error) ([]byte, error) { return nil, &fs.PathError{Op: "read", Path: path, Err: err} }
	switch piped := info.Mode()&fs.ModeNamedPipe != 0 && rule <= Stream; {
	case info.Mode().IsRegular(), piped:
	case isNull(info):
		return nil, nil
	default:
		return refuse(ErrIrregular)
	}
	access := checkFile(path, f, info, rule)
	if access != nil && !access.Drive {
		return nil, access
	}
	if info.Size() > int64(limit) {
		return refuse(fmt.Errorf("%w: it has %d bytes, and at most %d are read", ErrTooLarge, info.Size(), limit))
	}
	if err := d.step("read", path); err != nil {
		return nil, err
	}
	data := make([]byte, 0, info.Size()+1)
	for { // io.ReadAll would begin smaller and copy
		if len(data) > limit {
			return refuse(fmt.Errorf("%w: at most %d bytes are read", ErrTooLarge, limit))
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if access != nil {
		return data, access
	}
	return data, nil
}

// isNull knows the null device under another name: a link, a copy of it.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(info, null)
}

// maxLinks bounds a chain of symbolic links, as the kernel does.
const maxLinks = 40

// open opens for reading what the rule allows to be opened: following links,
// but one at a time, where the folder of each counts.
func open(path string, rule Rule) (*os.File, error) {
	if rule == Any {
		return openFollow(path, false)
	}
	wait := rule == Stream
	for range maxLinks {
		f, err := openNoFollow(path, wait)
		link := errors.Is(err, errLink)
		if link && rule == Private {
			return nil, &AccessError{Path: path, What: "is a symbolic link"}
		}
		if err != nil && !link {
			return nil, err
		}
		if rule == Private { // the folder is the caller's, who checks it once for all
			return f, nil
		}
		dir := filepath.Dir(path)
		if err := checkFolderOf(dir); err != nil {
			if f != nil {
				_ = f.Close()
			}
			return nil, err
		}
		if link && isDescriptors(dir) { // /dev/fd/3: what is open already has no name that others could give to another file
			return openFollow(path, wait)
		}
		if !link {
			return f, nil
		}
		if path, err = follow(path); err != nil {
			return nil, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: errManyLinks}
}

// openFollow opens for reading, through links. Unless wait is set, a pipe does
// not block.
func openFollow(path string, wait bool) (*os.File, error) {
	flags := os.O_RDONLY
	if !wait {
		flags |= syscall.O_NONBLOCK
	}
	return os.OpenFile(path, flags, 0)
}

var errManyLinks = errors.New("there are too many symbolic links")

// follow is one step along a symbolic link.
func follow(path string) (string, error) {
	target, err := os.Readlink(path)
	if err == nil && !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	return target, err
}

// CheckFolder reports whether a folder is Private, and nobody else may put
// another in its place. The error wraps fs.ErrNotExist where there is none.
func (d Disk) CheckFolder(path string) error {
	if err := d.step("lstat", path); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &AccessError{Path: path, What: "is not a directory (a symbolic link is refused)"}
	}
	if access := checkInfo(path, info, Private); access != nil {
		return access
	}
	return checkFolderOf(filepath.Dir(path))
}

// checkFolderOf checks the folder that something of ours is in: a sticky one lets nobody
// replace the files of others.
func checkFolderOf(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if access := checkInfo(dir, info, Steering); access != nil {
		return access
	}
	return nil
}

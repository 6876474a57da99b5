package files

import (
	"io/fs"
	"os"
)

// Append adds data to path, a file of our own that is made with mode 0600, in
// one write: lines that several processes add at the same time stay whole. It
// returns the file's size afterwards, in bytes. Errors are those of Read
// under Private.
func Append(path string, data []byte) (size int64, err error) {
	f, err := openAppend(path)
	if err != nil {
		return 0, err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, &fs.PathError{Op: "append", Path: path, Err: ErrIrregular}
	}
	if access := checkFile(path, f, info, Private); access != nil {
		return 0, access
	}
	n, err := f.Write(data)
	return info.Size() + int64(n), err
}

// appendFlags open for Append.
const appendFlags = os.O_WRONLY | os.O_APPEND | os.O_CREATE

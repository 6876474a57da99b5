//go:build !linux

package files

import "errors"

// renameNew is not to be had everywhere; a plain rename follows.
func renameNew(string, string) error { return errors.ErrUnsupported }

// exchange is not to be had everywhere; a plain rename follows.
func exchange(string, string) error { return errors.ErrUnsupported }

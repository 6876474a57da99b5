//go:build !linux

package profile

import "errors"

// RenameNew is not to be had everywhere; a plain rename follows.
func (systemFiles) RenameNew(string, string) error { return errors.ErrUnsupported }

// Exchange is not to be had everywhere; a plain rename follows.
func (systemFiles) Exchange(string, string) error { return errors.ErrUnsupported }

//go:build !windows

package terminal

import "errors"

func newWinCredUI() (prompter, error) { return nil, errors.New("it exists on Windows only") }

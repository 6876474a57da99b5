//go:build !windows

package terminal

import "errors"

func newWinCredUI() (prompter, error) { return nil, errors.New("there is one on Windows only") }

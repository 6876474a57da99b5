//go:build unix && !linux

package files

import "os"

// onDrive is false: only WSL shows Windows drives so.
func onDrive(*os.File) bool { return false }

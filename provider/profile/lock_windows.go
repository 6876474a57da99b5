package profile

import "context"

// lockDirectory does nothing: directories cannot be locked on Windows, and a
// lock on the file would keep it from being replaced. A conflict is detected.
func lockDirectory(context.Context, string) (unlock func(), alone bool) {
	return func() {}, false
}

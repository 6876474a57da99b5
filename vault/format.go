package vault

import (
	"bytes"

	"groat/vault/fault"
)

// Every format of the vault begins with its magic, whose last byte is the
// version: of the format, and of whatever is stored in it. Content that this
// version could not read goes under the next version. What is newer than this
// program is refused in words and left alone (ADR 175).
var (
	errNewer       = fault.New("a newer version of groat wrote it", remedyNewer, ErrCorrupt)
	errNewerHeader = fault.New("a newer version of groat wrote the vault's header", remedyNewer, errHeader)
)

const remedyNewer = "use that version of groat, or a later one"

// isNewer reports whether b is of a later version of the format with this magic.
func isNewer(b, magic []byte) bool {
	n := len(magic) - 1
	return len(b) > n && bytes.Equal(b[:n], magic[:n]) && b[n] > magic[n]
}

// notOurs is the error of what does not begin with this magic.
func notOurs(b, magic []byte, what string) error {
	if isNewer(b, magic) {
		return errNewer
	}
	return because(ErrCorrupt, "groat did not write %s", what)
}

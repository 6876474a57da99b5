package vault

import (
	"errors"
	"syscall"
)

// winCredLimit is CRED_MAX_CREDENTIAL_BLOB_SIZE in bytes
// (https://learn.microsoft.com/windows/win32/api/wincred/ns-wincred-credentialw):
// an AWS session with its token is larger and is kept in several credentials.
const winCredLimit = 5 * 512

// Windows error codes that the Credential Manager gives
// (https://learn.microsoft.com/windows/win32/debug/system-error-codes).
const (
	winNotFound       = 1168 // ERROR_NOT_FOUND
	winNoLogonSession = 1312 // ERROR_NO_SUCH_LOGON_SESSION: services, some SSH log-ins
	winBadLength      = 1783 // RPC_X_BAD_STUB_DATA: blob too large
)

func explainWinCred(err error) error {
	var number syscall.Errno
	errors.As(err, &number)
	switch number {
	case winNotFound:
		return ErrNotFound
	case winNoLogonSession:
		return withRemedy(because(ErrUnavailable, "this log-on session has no Credential Manager: %w", err),
			"log on interactively, or use --backend file")
	case winBadLength:
		return because(ErrUnavailable, "Windows refused the size of the item: %w", err)
	}
	return err
}

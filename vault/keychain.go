package vault

import (
	"fmt"
	"regexp"
	"strconv"
	"sync"
)

// OSStatus codes of Keychain Services
// (https://developer.apple.com/documentation/security/security-framework-result-codes).
const (
	secUserCanceled          = -128
	secMissingEntitlement    = -34018
	secNotAvailable          = -25291
	secAuthFailed            = -25293
	secNoSuchKeychain        = -25294
	secItemNotFound          = -25300
	secInteractionNotAllowed = -25308
)

// statusInText finds the code that the library leaves in its messages alone.
var statusInText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\((-\d+)\)$`) })

func explainKeychain(err error) error {
	status, ok := errorNumber(err)
	if !ok {
		if m := statusInText().FindStringSubmatch(err.Error()); m != nil {
			status, _ = strconv.ParseInt(m[1], 10, 64)
		}
	}
	switch status {
	case secItemNotFound, secNoSuchKeychain: // our keychain is made with its first item
		return ErrNotFound
	case secInteractionNotAllowed:
		return withRemedy(fmt.Errorf("%w: macOS cannot show its dialog in this session: %w", ErrLocked, err),
			"run `security unlock-keychain` with the keychain's name first (needed over SSH)")
	case secUserCanceled:
		return fmt.Errorf("%w: the dialog was cancelled: %w", ErrLocked, err)
	case secAuthFailed:
		return fmt.Errorf("%w: the keychain's password was refused: %w", ErrPassphrase, err)
	case secNotAvailable, secMissingEntitlement:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

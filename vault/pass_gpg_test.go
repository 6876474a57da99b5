//go:build linux || darwin

package vault

import (
	"errors"
	"strings"
	"testing"
)

func TestExplainGPG(t *testing.T) {
	for _, c := range []struct {
		name, stderr string
		want         error
		says         string
	}{
		{"2.4 bad passphrase", "[GNUPG:] ENC_TO AB 18 0\n[GNUPG:] ERROR pkdecrypt_failed 11\n[GNUPG:] DECRYPTION_FAILED\n", ErrPassphrase, "refused"},
		{"2.4 bad PIN, with its source", "[GNUPG:] ERROR pkdecrypt_failed 100663383\n", ErrPassphrase, "refused"},
		{"2.4 cancelled", "[GNUPG:] ERROR pkdecrypt_failed 83886179\n", ErrLocked, "cancelled"},
		{"2.4 no pinentry", "[GNUPG:] ERROR pkdecrypt_failed 67108950\n", ErrLocked, "no pinentry"},
		{"2.4 no card", "[GNUPG:] ERROR pkdecrypt_failed 100663408\n", ErrLocked, "card"},
		{"2.4 blocked", "[GNUPG:] ERROR pkdecrypt_failed 100663425\n", ErrLocked, "blocked"},
		{"2.4 no secret key", "[GNUPG:] ENC_TO AB 18 0\n[GNUPG:] NO_SECKEY AB\n", ErrUnavailable, "not on this machine"},
		{"2.2 no secret key", "[GNUPG:] ENC_TO AB 18 0\n[GNUPG:] DECRYPTION_FAILED\n", ErrUnavailable, "not on this machine"},
		{"2.2 no pinentry", "[GNUPG:] ENC_TO AB 18 0\n[GNUPG:] KEY_CONSIDERED AB 0\n[GNUPG:] DECRYPTION_FAILED\n", ErrLocked, "no pinentry"},
		{"2.2 refused", "[GNUPG:] ENC_TO AB 18 0\n[GNUPG:] KEY_CONSIDERED AB 0\n[GNUPG:] PINENTRY_LAUNCHED 3\n[GNUPG:] DECRYPTION_FAILED\n", ErrPassphrase, "refused"},
		{"no recipient", "gpg: AB: skipped: No public key\n[GNUPG:] INV_RECP 1 AB\n", ErrUnavailable, "encrypt for"},
		{"foreign words", "gpg: TheSecret\n[GNUPG:]\n[GNUPG:] ERROR\n[GNUPG:] ERROR x nonsense\n", ErrUnavailable, "pass failed"},
		{"nothing", "", ErrUnavailable, "pass failed"},
	} {
		err := explainGPG(errors.New("exit status 2"), c.stderr)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v saying %q", c.name, err, c.want, c.says)
		}
		if strings.Contains(err.Error(), "TheSecret") {
			t.Errorf("%s: gpg's words were passed on: %v", c.name, err)
		}
	}
}

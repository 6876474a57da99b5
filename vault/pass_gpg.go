//go:build linux || darwin

package vault

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Error codes of libgpg-error, the lower 16 bits of what gpg's status lines
// say (gnupg's doc/DETAILS, libgpg-error's err-codes.h.in).
const (
	gpgBadPassphrase = 11
	gpgNoSecretKey   = 17
	gpgNoAgent       = 77
	gpgNoPinentry    = 86
	gpgBadPIN        = 87
	gpgCancelled     = 99
	gpgNoCard        = 112
	gpgPINBlocked    = 129
	gpgFullyCanceled = 198
	gpgNoPublicKey   = 9
)

// explainGPG tells from gpg's status lines why pass failed. What gpg and pass
// wrote is not passed on: it is theirs to word, and could hold anything.
func explainGPG(exit error, stderr string) error {
	seen := map[string]bool{}
	for line := range strings.Lines(stderr) {
		status, ok := strings.CutPrefix(strings.TrimSpace(line), "[GNUPG:] ")
		words := strings.Fields(status)
		if !ok || len(words) == 0 {
			continue
		}
		seen[words[0]] = true
		switch words[0] {
		case "ERROR", "FAILURE": // GnuPG 2.4 gives reasons
			if len(words) > 2 {
				if err := gpgError(words[2]); err != nil {
					return err
				}
			}
		case "INV_RECP":
			return withRemedy(because(ErrUnavailable, "gpg cannot encrypt for the key that the password store names"),
				"import the public key and trust it, or run `pass init` with a key of yours")
		case "NO_SECKEY":
			return noSecretKey()
		}
	}
	// GnuPG 2.2 says "no secret key" whatever happened: what it did tells more.
	switch {
	case !seen["ENC_TO"] || !seen["DECRYPTION_FAILED"]:
		return because(ErrUnavailable, "pass failed (%w)", exit)
	case !seen["KEY_CONSIDERED"]:
		return noSecretKey()
	case !seen["PINENTRY_LAUNCHED"]:
		return noPinentry()
	}
	return withRemedy(fmt.Errorf("%w: gpg's question was cancelled, or its answer refused", ErrPassphrase),
		"try again; in a terminal run `export GPG_TTY=$(tty)` first")
}

func gpgError(number string) error {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return nil
	}
	switch n & 0xffff {
	case gpgBadPassphrase, gpgBadPIN:
		return fmt.Errorf("%w: gpg refused the passphrase or PIN of the key", ErrPassphrase)
	case gpgNoPinentry, gpgNoAgent:
		return noPinentry()
	case gpgCancelled, gpgFullyCanceled:
		return because(ErrLocked, "gpg's question was cancelled")
	case gpgPINBlocked:
		return because(ErrLocked, "the card's PIN is blocked")
	case gpgNoCard:
		return withRemedy(because(ErrLocked, "the card with the gpg key is not inserted"), "insert the card")
	case gpgNoSecretKey:
		return noSecretKey()
	case gpgNoPublicKey:
		return because(ErrUnavailable, "gpg has no public key to encrypt with")
	}
	return nil
}

func noPinentry() error {
	return withRemedy(because(ErrLocked, "gpg cannot ask for its passphrase here (no pinentry)"),
		"run `export GPG_TTY=$(tty)`, or set pinentry-program in gpg-agent.conf")
}

func noSecretKey() error {
	return withRemedy(because(ErrUnavailable, "the gpg key that opens it is not on this machine"), "import the secret key, or insert its card")
}

// ownGroup lets a deadline end the whole family of a process.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}

// findProgram looks a program up in the PATH of an injected environment;
// relative directories in it are passed over.
func findProgram(environ []string, name string) string {
	if strings.ContainsRune(name, filepath.Separator) {
		if isProgram(name) {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(lookup(environ, "PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(dir) && isProgram(path) {
			return path
		}
	}
	return ""
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

package vault

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// keyctlLimit is below the kernel's 32,767 bytes for one key (keyrings(7)).
	keyctlLimit = 32_000
	// keyctlUserPerm lets later sessions of the same user read what this one
	// stored. Keys come to life with all rights for their possessor and one,
	// to view, for the user; but nobody possesses what hangs at the user's
	// keyring alone.
	keyctlUserPerm = 0x3f3f0000
)

// openKeyctl keeps items in the kernel, in a keyring of ours at the user's
// keyring, or at the session's. They are gone at the next reboot, those of a
// session at its end.
func openKeyctl(cfg Config) (Vault, error) { return openKeyctlService(cfg, "groat") }

func openKeyctlService(cfg Config, service string) (Vault, error) {
	r, err := newKeyctl(cfg, service)
	if err != nil {
		return nil, err
	}
	v := newOSVault(cfg, "keyctl", r)
	v.limit, v.volatile = keyctlLimit, true
	return v, nil
}

func newKeyctl(cfg Config, service string) (*ring, error) {
	config, parent := ringConfig{ServiceName: service, KeyCtlScope: cfg.KeyctlScope}, unix.KEY_SPEC_SESSION_KEYRING
	switch cfg.KeyctlScope {
	case "", "user":
		if inUserNamespace() {
			return nil, withRemedy(because(ErrUnavailable, "this process runs in a user namespace (a container), and the user's keyring there ends with it"),
				"choose another backend with --backend")
		}
		config.KeyCtlScope, config.KeyCtlPerm = "user", keyctlUserPerm
		parent = unix.KEY_SPEC_USER_KEYRING
	case "session":
		// No permissions here: the library would hang the key at the session's
		// keyring, and then take it away again.
	default:
		return nil, because(ErrUnavailable, "the scope must be user or session, which outlive a process, not %q", cfg.KeyctlScope)
	}
	r := newRing(cfg, "keyctl", config, explainKeyctl)
	r.onThread = func() error { return keyctlThread(config.KeyCtlScope) }
	// Two processes that both made our keyring would lose what is in the first.
	r.before = func(ctx context.Context) (func(), error) {
		if _, err := unix.KeyctlSearch(parent, "keyring", service, 0); err == nil {
			return func() {}, nil
		}
		return cfg.locks("keyctl").Hold(ctx, "keyctl")
	}
	return r, nil
}

// keyctlThread readies the calling thread. Session keyrings belong to threads:
// where the log-in made none, storing makes one that is this thread's alone
// (keyrings(7), session-keyring(7)). To store through it at the user's keyring
// is well, if the thread ends with the call; the scope "session" would lose
// what it stores.
func keyctlThread(scope string) error {
	id, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err != nil {
		return explainKeyctl(err) // the library keeps its reasons to itself
	}
	if scope != "session" {
		return nil
	}
	described, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id)
	if err != nil {
		return explainKeyctl(err)
	}
	if strings.Contains(described, ";_uid_ses.") {
		return withRemedy(because(ErrUnavailable, "this process has no session keyring"), "use --keyctl-scope user, or run `keyctl session` first")
	}
	return nil
}

// inUserNamespace reports whether the users here are not the machine's own:
// since Linux 5.3 such users have keyrings of their own (user_namespaces(7)).
func inUserNamespace() bool {
	data, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && !slices.Equal(strings.Fields(string(data)), []string{"0", "0", "4294967295"})
}

func explainKeyctl(err error) error {
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
		return because(ErrUnavailable, "the kernel keyring is switched off here (containers often forbid it): %w", err)
	case errors.Is(err, unix.EDQUOT):
		return withRemedy(because(ErrUnavailable, "the kernel keyring is full: %w", err),
			"remove sessions, or see /proc/sys/kernel/keys/maxbytes")
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYEXPIRED), errors.Is(err, unix.EKEYREVOKED):
		return ErrNotFound
	case errors.Is(err, unix.EACCES):
		return because(ErrLocked, "the item belongs to another session: %w", err)
	}
	return err
}

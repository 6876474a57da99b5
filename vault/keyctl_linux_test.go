package vault_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"groat/vault"
	"groat/vault/vaulttest"
)

func TestKeyctlScopes(t *testing.T) {
	for _, scope := range []string{"process", "thread", "group", "nonsense"} {
		_, err := vault.Open(vault.Config{Backend: "keyctl", KeyctlScope: scope, StateDir: t.TempDir()})
		if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), scope) {
			t.Errorf("scope %q: %v", scope, err)
		}
	}
}

func TestKeyctlErrors(t *testing.T) {
	for err, want := range map[error]error{
		unix.ENOSYS: vault.ErrUnavailable,
		fmt.Errorf("adding key: %w", unix.EDQUOT): vault.ErrUnavailable,
		unix.EPERM:       vault.ErrUnavailable,
		unix.EACCES:      vault.ErrLocked,
		unix.EKEYREVOKED: vault.ErrNotFound,
		fmt.Errorf("reading: %w", unix.EKEYEXPIRED): vault.ErrNotFound,
	} {
		if got := vault.ExplainKeyctl(err); !errors.Is(got, want) {
			t.Errorf("%v became %v, want %v", err, got, want)
		}
	}
}

var keyctlTests atomic.Int64

// keyctlService is a name for a keyring that nobody else uses; the keyring is
// taken away when the test ends.
func keyctlService(t *testing.T, special int) string {
	service := fmt.Sprintf("groat-test-%d-%d", os.Getpid(), keyctlTests.Add(1))
	t.Cleanup(func() {
		if id, err := unix.KeyctlSearch(special, "keyring", service, 0); err == nil {
			if _, err := unix.KeyctlInt(unix.KEYCTL_UNLINK, id, special, 0, 0); err != nil {
				t.Errorf("could not take the test's keyring away: %v", err)
			}
		}
	})
	return service
}

func openKeyctl(t *testing.T, cfg vault.Config, service string) vault.Vault {
	t.Helper()
	v, err := vault.OpenKeyctlService(cfg, service)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestContractKeyctl(t *testing.T) {
	promised(t, "keyctl", "keyctl")
	contractKeyctl(t, "user", unix.KEY_SPEC_USER_KEYRING)
}

// The scope "session" needs a session keyring, made before the process began.
func TestContractKeyctlSession(t *testing.T) {
	promised(t, "keyctl", "keyctl")
	const inside = "GROAT_TEST_INSIDE_A_SESSION"
	if os.Getenv(inside) != "" {
		contractKeyctl(t, "session", unix.KEY_SPEC_SESSION_KEYRING)
		return
	}
	cmd := exec.Command("keyctl", "session", "-", os.Args[0], "-test.run=^TestContractKeyctlSession$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestContractKeyctlSession/put_get") {
		t.Errorf("%v\n%s", err, out)
	}
}

func contractKeyctl(t *testing.T, scope string, special int) {
	var cfg vault.Config
	var service string
	vaulttest.Run(t, func(t *testing.T) vault.Vault {
		service = keyctlService(t, special)
		cfg = vault.Config{KeyctlScope: scope, StateDir: t.TempDir()}
		return openKeyctl(t, cfg, service)
	}, vaulttest.Options{Again: func(t *testing.T) vault.Vault { return openKeyctl(t, cfg, service) }})
}

// Reading writes nothing: a read-only home is enough.
func TestKeyctlReadOnlyState(t *testing.T) {
	promised(t, "keyctl", "keyctl")
	service := keyctlService(t, unix.KEY_SPEC_USER_KEYRING)
	putItem(t, openKeyctl(t, vault.Config{StateDir: t.TempDir()}, service), vault.KindKey, "p", "secret")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantItem(t, openKeyctl(t, vault.Config{StateDir: filepath.Join(file, "state")}, service), vault.KindKey, "p", "secret")
}

// In a user namespace the user's keyring is another one, which ends with it.
func TestKeyctlInAUserNamespace(t *testing.T) {
	promised(t, "keyctl", "unshare")
	const inside = "GROAT_TEST_INSIDE_A_NAMESPACE"
	if os.Getenv(inside) != "" {
		_, err := vault.Open(vault.Config{Backend: "keyctl", StateDir: t.TempDir()})
		if !errors.Is(err, vault.ErrUnavailable) || !strings.Contains(err.Error(), "user namespace") {
			t.Errorf("got %v", err)
		}
		return
	}
	if out, err := exec.Command("unshare", "-Ur", "true").CombinedOutput(); err != nil {
		t.Skipf("no user namespace can be made here: %v %s", err, out)
	}
	cmd := exec.Command("unshare", "-Ur", os.Args[0], "-test.run=^TestKeyctlInAUserNamespace$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestKeyctlInAUserNamespace") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Without one, "session" would lose what it stores, and says so instead.
func TestKeyctlWithoutASession(t *testing.T) {
	promised(t, "keyctl", "keyctl")
	out, err := exec.Command("keyctl", "rdescribe", "@s").Output()
	if err != nil || !strings.Contains(string(out), ";_uid_ses.") {
		t.Skip("this session has a keyring of its own")
	}
	v := openKeyctl(t, vault.Config{KeyctlScope: "session", StateDir: t.TempDir()}, keyctlService(t, unix.KEY_SPEC_SESSION_KEYRING))
	if err := v.Put(t.Context(), vault.KindKey, "p", []byte("x")); !errors.Is(err, vault.ErrUnavailable) {
		t.Errorf("Put: %v", err)
	}
}

// What one session stores in the user's keyring another one reads: the
// permissions are what lets it.
func TestKeyctlUserScopeAcrossSessions(t *testing.T) {
	promised(t, "keyctl", "keyctl")
	service := keyctlService(t, unix.KEY_SPEC_USER_KEYRING)
	var warned []string
	v := openKeyctl(t, vault.Config{StateDir: t.TempDir(), Warn: func(m string) { warned = append(warned, m) }}, service)
	if err := v.Put(t.Context(), vault.KindKey, "p", []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "reboot") {
		t.Errorf("nobody was told that it is forgotten at the next reboot: %q", warned)
	}
	ring, err := unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, "keyring", service, 0)
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("id=$(keyctl search %d user key.p) && keyctl rdescribe $id && keyctl print $id", ring)
	out, err := exec.Command("keyctl", "session", "-", "sh", "-c", script).Output()
	if err != nil {
		t.Fatalf("another session cannot read the key: %v\n%s", err, out)
	}
	described, printed, _ := strings.Cut(string(out), "\n")
	if !strings.Contains(described, ";3f3f0000;") {
		t.Errorf("the key is %q", described)
	}
	value, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(printed), ":hex:"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, data, err := vault.OpenEnvelope(value); err != nil || string(data) != "secret" {
		t.Errorf("another session read %q, %v", data, err)
	}
}

package vaulttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PassStore is a password store and a gpg home of the test's own, in the
// environment that it returns. The key has a passphrase if one is given;
// pinentry is then the given script.
func PassStore(t testing.TB, passphrase, pinentry string) (environ []string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pass") // gpg-agent's sockets must fit into 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	gnupg := filepath.Join(dir, "g")
	if err := os.Mkdir(gnupg, 0o700); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "pinentry")
	if pinentry != "" {
		if err := os.WriteFile(program, []byte(pinentry), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(gnupg, "gpg-agent.conf"), []byte("pinentry-program "+program+"\ns2k-count 65536\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GNUPGHOME=" + gnupg, "PASSWORD_STORE_DIR=" + filepath.Join(dir, "store"), "LANG=C"}
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Env = environ
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	t.Cleanup(func() { run("gpgconf", "--kill", "all") })
	run("gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", passphrase,
		"--quick-generate-key", "Test <test@example.com>", "future-default", "default", "never")
	run("gpgconf", "--kill", "all") // the agent would remember the passphrase
	run("pass", "init", "test@example.com")
	return environ
}

package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groat/provider/ststest"
)

// startPeer prepares another program that speaks aws-vault's command line, on
// its own file backend, and returns its warm call: the session of a profile
// with MFA. It reaches the double under AWS's own names through a proxy,
// since such programs know no other endpoint.
func startPeer(t testing.TB, path string) func() {
	t.Helper()
	srv := ststest.Start(t, ststest.Options{TLS: true})
	user := srv.AddUser("123456789012", "peer")
	key, device := user.AddAccessKey(), user.AddMFA()
	proxy, err := srv.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	ca, err := srv.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := "[default]\nregion=eu-west-1\nmfa_serial=" + device.Serial + "\n"
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent",
		"HTTPS_PROXY=" + proxy, "SSL_CERT_FILE=" + ca,
		"AWS_VAULT_BACKEND=file", "AWS_VAULT_FILE_PASSPHRASE=correct horse",
	}
	run := func(environ []string, words ...string) {
		c := exec.Command(path, words...)
		c.Dir, c.Env = home, environ
		var stderr strings.Builder
		c.Stderr = &stderr
		if out, err := c.Output(); err != nil {
			t.Fatalf("%s %q: %v\n%s%s", path, words, err, out, stderr.String())
		}
	}
	run(append(environ, "AWS_ACCESS_KEY_ID="+key.ID, "AWS_SECRET_ACCESS_KEY="+key.Secret), "add", "--env", "default")
	run(environ, "export", "--format=json", "--mfa-token="+device.FreshCode(), "default")
	return func() { run(environ, "export", "--format=json", "default") }
}

package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/keyring"
)

// awsVaultFiles writes items as aws-vault's file backend does, with the
// library that it uses.
func awsVaultFiles(t testing.TB, dir, passphrase string, items map[string]string) {
	t.Helper()
	k, err := keyring.Open(keyring.Config{
		ServiceName: "aws-vault", AllowedBackends: []keyring.BackendType{keyring.FileBackend},
		FileDir: dir, FilePasswordFunc: keyring.FixedStringPrompt(passphrase),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range items {
		if err := k.Set(keyring.Item{Key: name, Label: "aws-vault", Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
}

func awsVaultItem(id, secret string) string {
	return fmt.Sprintf(`{"AccessKeyID":%q,"SecretAccessKey":%q,"SessionToken":"","Source":"","CanExpire":false,"Expires":"0001-01-01T00:00:00Z"}`, id, secret)
}

func wantOut(t *testing.T, r result, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", r.code, code, r.stdout, r.stderr)
	}
	for _, p := range parts {
		if !strings.Contains(r.stdout+r.stderr, p) {
			t.Errorf("%q is missing in\n%s%s", p, r.stdout, r.stderr)
		}
	}
	for _, secret := range []string{"wJalr", "open sesame"} {
		if strings.Contains(r.stdout+r.stderr, secret) {
			t.Errorf("%q leaked in\n%s%s", secret, r.stdout, r.stderr)
		}
	}
}

func TestImportFromAWSVaultFiles(t *testing.T) {
	a := startAWS(t)
	environ := a.environment(t)
	home := t.TempDir()
	environ = with(environ, "HOME="+home)
	dir := filepath.Join(home, ".awsvault", "keys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	run := func(words ...string) result {
		return runMain(t, environ, "", append([]string{"import", "--from", "aws-vault"}, words...)...)
	}
	wantOut(t, run(), 4, "no keys of aws-vault's were found", "--source-backend")

	awsVaultFiles(t, dir, "open sesame", map[string]string{
		"default": awsVaultItem(a.key.ID, a.key.Secret), "team/prod": awsVaultItem("AKIAI44QH8DHBEXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
		"sts.GetSessionToken,ZGVmYXVsdA,YXJu,1700000000": `{"AccessKeyID":"ASIA"}`, "oidc:https://x.awsapps.com/start": "{}",
	})
	wantOut(t, run("--dry-run", "--delete-source"), 0, "would import\tdefault\taws-vault (file) → file", "would import\tteam/prod", "would delete\tteam/prod")
	wantOut(t, run("--no-input"), 4, "aws-vault's files are locked", sourcePassphraseVariable)
	environ = append(environ, "AWS_VAULT_FILE_PASSPHRASE=wrong")
	wantOut(t, run(), 4, "wrong passphrase, or the item is damaged")
	environ = append(environ, "GROAT_SOURCE_FILE_PASSPHRASE=open sesame")
	wantOut(t, run("default"), 0, "imported\tdefault ("+a.key.ID+")\taws-vault (file) → file")
	wantOut(t, run("nobody"), 4, "nobody")

	// A forged item is left alone; the others go on.
	forged := filepath.Join(dir, "forged")
	if err := os.WriteFile(forged, []byte("eyJhbGciOiJIUzI1NiJ9.e30."), 0o600); err != nil {
		t.Fatal(err)
	}
	wantOut(t, run("--delete-source"), 4, "was there\tdefault", "imported\tteam/prod", `"forged"`, "1 of 3 items could not be imported", "deleted 2 keys")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 3 {
		t.Errorf("left in the source: %v, %v", left, err)
	}
	if _, err := os.Stat(forged); err != nil {
		t.Error(err)
	}
	// The imported key works.
	r := mustRun(t, environ, "", "credential-process", "--no-session", "default")
	if !strings.Contains(r.stdout, a.key.ID) {
		t.Errorf("stdout %q", r.stdout)
	}
	wantOut(t, runMain(t, environ, "", "list", "--credentials"), 0, "default\nteam/prod\n")
}

func TestImportAsksWhichBackend(t *testing.T) {
	a := startAWS(t)
	environ := append(a.environment(t), "AWS_VAULT_BACKEND=nowhere")
	wantOut(t, runMain(t, environ, "", "import", "--from", "aws-vault"), 2, "AWS_VAULT_BACKEND", "--source-backend")
	environ = append(a.environment(t), "AWS_VAULT_BACKEND=file", "AWS_VAULT_FILE_DIR="+t.TempDir())
	wantOut(t, runMain(t, environ, "", "import", "--from", "aws-vault"), 0, "holds no long-lived keys")
	wantOut(t, runMain(t, environ, "", "import", "--from", "aws-vault", "--source-dir", "/nonexistent"), 4, "/nonexistent")
}

package cmd

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// storedBefore is a home with what an earlier version stored in it.
func storedBefore(t *testing.T, format string) (home string, environ []string) {
	t.Helper()
	home = t.TempDir()
	for from, to := range map[string]string{"config": ".aws", "vault/*": ".local/share/groat/vault", "state/*": ".local/state/groat"} {
		files, err := filepath.Glob(filepath.Join("testdata/formats", format, from))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", from, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(home, to, filepath.Base(file)), strings.ReplaceAll(string(data), "@HOME@", home))
		}
	}
	return home, []string{
		"HOME=" + home, "PATH=" + os.Getenv("PATH"), "GROAT_NO_INPUT=1", "GROAT_FILE_PASSPHRASE=fixture", "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent",
		"AWS_ENDPOINT_URL_STS=http://127.0.0.1:34133", "AWS_ENDPOINT_URL_IAM=http://127.0.0.1:34133",
	}
}

// What the first version stored is opened by this one.
func TestFormatsOfEarlierVersionsOpen(t *testing.T) {
	home, environ := storedBefore(t, "1")
	said := func(want string, words ...string) {
		t.Helper()
		if r := mustRun(t, environ, "", words...); !regexp.MustCompile(want).MatchString(r.stdout) {
			t.Errorf("groat %s: %+v, want %s", strings.Join(words, " "), r, want)
		}
	}
	said(`"name": "default",\s+"credentials": "default"`, "list", "--json")
	said(`"AccessKeyId":"AKIAXPINN45WPTQYLOP5"`, "credential-process", "default", "--no-session")
	said(`"AccessKeyId":"ASIAA4CIKJGMPQARZ7PT"`, "credential-process", "default")
	said(`"AccessKeyId":"ASIAKA6SQF3BKCF46RBA"`, "credential-process", "readonly")
	said(`^\d{6}\n$`, "mfa", "code", "default")
	said(`^1\t`+regexp.QuoteMeta(home)+`/repo/config\n$`, "trust", "--list")
	mustRun(t, environ, "", "configure", "--undo", "readonly")
	config, err := os.ReadFile(filepath.Join(home, ".aws", "config"))
	if want := "\n[profile readonly]\nrole_arn = arn:aws:iam::123456789012:role/readonly-role # the role\nsource_profile = default\n"; err != nil || !strings.HasSuffix(string(config), want) {
		t.Errorf("%v: %s", err, config)
	}
}

// What a later version stored is refused in words, and left as it is.
func TestFormatsOfLaterVersionsAreRefused(t *testing.T) {
	vault, state := ".local/share/groat/vault", ".local/state/groat"
	magic := func(data []byte) []byte { data[7]++; return data }
	header := func(data []byte) []byte {
		body := append(magic(data)[:len(data)-sha256.Size], "more of it"...)
		sum := sha256.Sum256(body)
		return append(body, sum[:]...)
	}
	version := func(data []byte) []byte {
		var doc map[string]any
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		doc["version"] = 99
		data, _ = json.Marshal(doc)
		return data
	}
	for _, c := range []struct {
		file    string
		later   func([]byte) []byte
		code    int
		command string
	}{
		{vault + "/header*", header, exitVault, "credential-process default"},
		{vault + "/header.bak", header, exitVault, "credential-process default"},
		{vault + "/card.default", magic, exitVault, "credential-process default"},
		{vault + "/key.default", magic, exitVault, "credential-process default --no-session"},
		{vault + "/seed.*", magic, exitVault, "mfa code default"},
		{state + "/backends.json", version, exitVault, "credential-process default"},
		{state + "/trusted-lines.json", version, exitConfig, "trust --list"},
		{state + "/configure-undo.json", version, exitConfig, "configure --undo readonly"},
	} {
		home, environ := storedBefore(t, "1")
		changed, _ := filepath.Glob(filepath.Join(home, c.file))
		if len(changed) == 0 {
			t.Fatalf("no %s", c.file)
		}
		for _, file := range changed {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, file, string(c.later(data)))
		}
		before := stored(t, home)
		r := runMain(t, environ, "", strings.Fields(c.command)...)
		if r.code != c.code || r.stdout != "" || !strings.Contains(r.stderr, "version of groat wrote ") || !strings.Contains(r.stderr, "use that version") {
			t.Errorf("%s, groat %s: %+v", c.file, c.command, r)
		}
		if after := stored(t, home); !maps.Equal(before, after) {
			t.Errorf("%s, groat %s changed what is stored", c.file, c.command)
		}
	}
}

// stored is every file of a home but locks, with its content.
func stored(t *testing.T, home string) map[string]string {
	t.Helper()
	all := tree(t, home)
	maps.DeleteFunc(all, func(path, _ string) bool { return strings.Contains(path, "lock") })
	return all
}

package doctor

import (
	"cmp"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"groat/vault/files"
)

// places looks at files and folders: who may read them, and what secrets
// they hold in plaintext.
func (e *exam) places() {
	if err := (files.Disk{}).CheckFolder(e.State); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.add(e.fromError("access", Warning, err))
	}
	e.credentials()
	e.caches()
}

// credentials: keys that others can read are not only yours.
func (e *exam) credentials() {
	info, err := os.Stat(e.Credentials)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 || e.Config == nil {
		return
	}
	for _, name := range e.Config.Names() {
		if file, _ := e.Config.Place(name, "aws_secret_access_key"); file == e.Credentials {
			e.add(Finding{Check: "access", Severity: Warning, File: e.Credentials, Message: "the file holds keys, and others can read it", Remedy: "chmod 600 " + files.Word(e.Credentials)})
			return
		}
	}
}

// caches are where the AWS CLI keeps tokens and sessions in plaintext.
func (e *exam) caches() {
	for _, c := range []struct{ dir, what, remedy string }{
		{"login/cache", "the tokens of `aws login`", "groat import --from aws-login --delete-source"},
		{"sso/cache", "the tokens of `aws sso login`", ""}, {"cli/cache", "the session credentials of the AWS CLI", ""},
	} {
		dir := filepath.Join(e.AWSDir, filepath.FromSlash(c.dir))
		found, _ := filepath.Glob(filepath.Join(dir, "*.json"))
		for _, path := range found {
			if e.alive(path) {
				e.add(Finding{Check: "plaintext-cache", Severity: Warning, File: path, Message: c.what + " are in plaintext", Remedy: cmp.Or(c.remedy, remove(dir))})
				break
			}
		}
	}
}

func remove(dir string) string {
	if runtime.GOOS == "windows" {
		return "Remove-Item -Recurse " + files.Word(dir)
	}
	return "rm -r " + files.Word(dir)
}

// maxCache bounds what is read of one file of a cache, in bytes.
const maxCache = 1 << 20

// alive reports whether a file of a cache holds a secret that still works.
func (e *exam) alive(path string) bool {
	data, err := files.Read(path, maxCache, files.Any)
	var item map[string]any
	if err != nil || json.Unmarshal(data, &item) != nil {
		return false
	}
	for _, inner := range []string{"Credentials", "accessToken"} {
		if m, ok := item[inner].(map[string]any); ok {
			for k, v := range m {
				item[k] = v
			}
		}
	}
	if text(item, "refreshToken") != "" {
		return true
	}
	for _, end := range []string{text(item, "expiresAt"), text(item, "Expiration")} {
		at, err := time.Parse(time.RFC3339, strings.Replace(end, "UTC", "Z", 1))
		if err == nil && at.After(e.Now) && (text(item, "accessToken") != "" || text(item, "SecretAccessKey") != "" || text(item, "secretAccessKey") != "") {
			return true
		}
	}
	return false
}

func text(item map[string]any, key string) string {
	s, _ := item[key].(string)
	return s
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

package cmd

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"groat/provider/ststest"
)

// Companies let nobody out but through a proxy: AWS's own names are called
// through the one the environment names, in either spelling.
func TestProxyOfTheEnvironment(t *testing.T) {
	srv := ststest.Start(t, ststest.Options{TLS: true})
	user := srv.AddUser("123456789012", "myusername")
	key := user.AddAccessKey()
	proxy, err := srv.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	ca, err := srv.CAFile()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte("[default]\nregion = ap-south-1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	groat := func(environ []string, words ...string) (string, int) {
		c := exec.Command(groatBinary(t), words...)
		c.Dir = home
		c.Env = append([]string{
			"HOME=" + home, "LOCALAPPDATA=" + home, "USERPROFILE=" + home, "PATH=" + os.Getenv("PATH"), "SYSTEMROOT=" + os.Getenv("SYSTEMROOT"),
			"GROAT_BACKEND=file", "GROAT_FILE_PASSPHRASE=correct horse", "AWS_CA_BUNDLE=" + ca,
		}, environ...)
		c.Stdin = strings.NewReader(key.ID + " " + key.Secret + "\n")
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		err := c.Run()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return out.String(), c.ProcessState.ExitCode()
	}
	upper, lower := "HTTPS_PROXY="+proxy, "https_proxy="+proxy

	if out, code := groat([]string{upper}, "add", "default", "--stdin", "--mfa-serial", "none"); code != 0 {
		t.Fatalf("add: exit %d\n%s", code, out)
	}
	for _, environ := range [][]string{{upper}, {lower}, {upper, "NO_PROXY=example.com"}} {
		srv.ResetCalls()
		out, code := groat(environ, "whoami", "default", "--no-cache")
		if code != 0 || !strings.Contains(out, "user/myusername") {
			t.Errorf("%q: exit %d\n%s", environ, code, out)
		}
		for _, call := range srv.Calls() {
			if call.Host != "sts.ap-south-1.amazonaws.com" {
				t.Errorf("%q: %s was called", environ, call.Host)
			}
		}
	}

	// A name that is exempted is called directly, and this one is nowhere.
	srv.ResetCalls()
	for _, exempt := range []string{"NO_PROXY=sts.invalid", "no_proxy=*"} {
		environ := []string{upper, exempt, "AWS_ENDPOINT_URL_STS=https://sts.invalid"}
		if out, code := groat(environ, "whoami", "default", "--no-cache"); code != exitUnreachable || strings.Contains(out, "proxy:") || srv.Count("") != 0 {
			t.Errorf("%s: exit %d, %d calls through the proxy\n%s", exempt, code, srv.Count(""), out)
		}
	}
	if out, code := groat([]string{"HTTPS_PROXY=http://127.0.0.1:1"}, "whoami", "default", "--no-cache"); code != exitUnreachable || !strings.Contains(out, "HTTPS_PROXY") {
		t.Errorf("a dead proxy: exit %d\n%s", code, out)
	}
}

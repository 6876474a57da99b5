package cmd

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"groat/provider/ststest"
)

// One code for all, and then their roles side by side: AWS answers none of
// the calls before all of them have come.
func TestEachMintsSideBySide(t *testing.T) {
	needPOSIX(t)
	const roles = 6
	a := startAWS(t)
	names := a.manyRoles(roles)
	double, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(double)
	var mu sync.Mutex
	arrived, all := map[string]bool{}, make(chan struct{})
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if form, _ := url.ParseQuery(string(body)); form.Get("Action") == "AssumeRole" {
			mu.Lock()
			if arrived[form.Get("RoleArn")] {
				t.Error("a role is asked for again")
			}
			arrived[form.Get("RoleArn")] = true
			if len(arrived) == roles {
				close(all)
			}
			mu.Unlock()
			select {
			case <-all:
			case <-r.Context().Done(): // the caller has given up: they come one by one
				return
			}
		}
		forward.ServeHTTP(w, r)
	}))
	defer gate.Close()
	environ := append([]string{"AWS_ENDPOINT_URL_STS=" + gate.URL}, a.environment(t)...) // the first of a name counts
	home := homeOf(environ)
	for name, text := range map[string]string{
		".aws/config": strings.ReplaceAll(awsConfigOfThePeers, "mfa_serial=", mfaProcess+"mfa_serial=") + names, "code": a.device.Code(time.Now()),
	} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, environ, a.key.ID+" "+a.key.Secret+"\n", "add", "default", "--stdin")
	a.ResetCalls()
	r := mustRun(t, environ, "", "each", "many-*", "-j", fmt.Sprint(roles), "--", "true")
	asked, _ := os.ReadFile(filepath.Join(home, "asked"))
	if a.Count("sts:GetSessionToken") != 1 || a.Count("sts:AssumeRole") != roles || string(asked) != "\n" {
		t.Errorf("calls %v, asked %q: %s", a.Names(), asked, r.stderr)
	}
}

// manyRoles adds roles many-0, many-1 … and returns their profiles.
func (a *aws) manyRoles(n int) string {
	var text strings.Builder
	for i := range n {
		arn := fmt.Sprintf("arn:aws:iam::123456789012:role/many-%d", i)
		a.AddRole(arn, ststest.RoleOptions{RequireMFA: true})
		fmt.Fprintf(&text, "[profile many-%d]\nrole_arn=%s\nsource_profile=default\n%smfa_serial=arn:aws:iam::123456789012:mfa/myusername\n", i, arn, mfaProcess)
	}
	return text.String()
}

// A prefix stands before every line on the screen, and names come from files.
func TestPrefixOfEach(t *testing.T) {
	f := &parallel{names: []string{"größe", "e\x1b[31mvil", "dev"}}
	for i, want := range []string{"größe | ", "evil  | ", "dev   | "} {
		if got := f.prefix(i); got != want {
			t.Errorf("%q: %q, want %q", f.names[i], got, want)
		}
	}
}

package cmd

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A server renews for the profile as the config has it by then.
func TestServerSeesAnEditedConfig(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin")
	mustRun(t, environ, "", "credential-process", "readonly", "--mfa-code", world.device.FreshCode())
	a := newApp(environ, Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	t.Cleanup(a.close)
	if _, err := a.parse([]string{"serve", "admin"}); err != nil {
		t.Fatal(err)
	}
	renew := served{Profile: "admin"}.refresher(a).Quiet
	before, err := renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(homeOf(environ), ".aws", "config")
	edited := strings.ReplaceAll(awsConfigOfThePeers, "role/admin-role", "role/readonly-role")
	if err := os.WriteFile(config, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := renew(t.Context())
	if err != nil || after.AccessKeyID == before.AccessKeyID {
		t.Errorf("%v: the credentials are still those of the old role", err)
	}
}

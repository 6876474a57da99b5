package cmd

import (
	"io"
	"strings"
	"testing"
	"time"
)

// Credentials with 18 minutes left are good for everybody but a metadata
// server, whose clients would use them beyond their end.
func TestMetadataCredentialsAreRenewedEarlier(t *testing.T) {
	world := startAWS(t)
	environ := world.environment(t)
	mustRun(t, environ, world.key.ID+" "+world.key.Secret+"\n", "add", "default", "--stdin")
	mustRun(t, environ, "", "credential-process", "admin", "--mfa-code", world.device.FreshCode())
	world.ResetCalls()
	later := func() *app {
		a := newApp(environ, Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
		t.Cleanup(a.close)
		if _, err := a.parse([]string{"exec", "admin"}); err != nil {
			t.Fatal(err)
		}
		a.now = func() time.Time { return time.Now().Add(42 * time.Minute) }
		return a
	}
	mint := func(m minting, calls int) {
		t.Helper()
		world.ResetCalls()
		if _, _, err := later().mint(t.Context(), "admin", m); err != nil {
			t.Fatal(err)
		}
		if n := world.Count("sts:AssumeRole"); n != calls || world.Count("") != calls {
			t.Errorf("calls %v, want %d", world.Names(), calls)
		}
	}
	mint(minting{}, 0)
	mint(minting{MinTTL: ttl(10 * time.Minute)}.forMetadata(), 0) // a wish is a wish
	mint(minting{}.forMetadata(), 1)
}

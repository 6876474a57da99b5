package cmd

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/cmd/terminal"
	"groat/session/flight"
)

// Who was given the passphrase and waited in vain for others who open the
// vault is told so, and not to give a passphrase.
func TestTimeOutOfATurnSaysTheTruth(t *testing.T) {
	environ := []string{"HOME=" + t.TempDir(), "GROAT_BACKEND=file", passphraseVariable + "=x"}
	var errs strings.Builder
	a := newApp(environ, Streams{In: strings.NewReader(""), Out: &errs, Err: &errs})
	defer a.close()
	if _, err := a.parse([]string{"credential-process", "p"}); err != nil {
		t.Fatal(err)
	}
	other := &flight.Group{Dir: filepath.Join(a.paths.fileDir(&a.cli.globals), "locks")}
	release, err := other.Ask(t.Context(), "passphrase environment")
	if err != nil {
		t.Fatal(err)
	}
	defer release(nil)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, terminal.ErrTimeout)
	defer cancel()
	_, err = a.passphrases.askAlone(ctx, func() bool { return false })
	if code := a.report(t.Context(), err); code != exitVault {
		t.Errorf("exit code %d", code)
	}
	said := errs.String()
	if !strings.Contains(said, "other processes took too long to open it") || !strings.Contains(said, "start fewer at once") || strings.Contains(said, passphraseVariable) {
		t.Errorf("it says %q", said)
	}
}

package cmd

import (
	"bytes"
	"strings"
	"testing"

	"groat/vault"
)

// Of two equal names groat reads the one that its children get.
func TestEqualNamesAreReadAsTheyAreHandedOn(t *testing.T) {
	a := newApp([]string{"AWS_PROFILE=first", "AWS_PROFILE=second"}, Streams{})
	if got := a.getenv("AWS_PROFILE"); got != "first" || len(a.environ) != 1 {
		t.Errorf("read %q of %q", got, a.environ)
	}
}

// Why "auto" passed a store over is said when a key is stored, once, and not
// at every command.
func TestPassedOverIsSaidOnce(t *testing.T) {
	var stderr bytes.Buffer
	a := newApp([]string{"HOME=" + t.TempDir()}, Streams{Err: &stderr})
	a.paths.state = t.TempDir()
	a.notePassedOver("secret-service: it is locked")
	if stderr.Len() > 0 {
		t.Errorf("said before a key was stored: %q", &stderr)
	}
	for _, name := range []string{"first", "second"} {
		if err := a.recordKey(name, vault.NewMemory()); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(stderr.String(), "it is locked") != 1 {
		t.Errorf("said %q", &stderr)
	}
}

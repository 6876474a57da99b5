package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The Keychain's file is built with cgo alone, for which there is a compiler
// on macOS alone: everywhere else its types are checked with the condition
// taken off. The build without cgo has to do by itself.
func TestKeychainCompiles(t *testing.T) {
	source, err := os.ReadFile("keychain_cgo_darwin.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	unconditional := filepath.Join(dir, "keychain.go")
	if err := os.WriteFile(unconditional, []byte(strings.Replace(string(source), "//go:build cgo\n", "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty.go")
	if err := os.WriteFile(empty, []byte("package vault\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(here, "keychain_cgo_darwin.go"):   unconditional,
		filepath.Join(here, "keychain_nocgo_darwin.go"): empty,
	}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{"with the Keychain": {"-overlay", file, "."}, "without cgo": {"."}} {
		cmd := exec.Command("go", append([]string{"build"}, args...)...)
		cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// osStatus is an error as the Keychain library's are: a number underneath.
type osStatus int32

func (s osStatus) Error() string { return fmt.Sprintf("Keychain Error. (%d)", int32(s)) }

func TestExplainKeychain(t *testing.T) {
	for err, want := range map[error]error{
		osStatus(-25300): ErrNotFound,
		osStatus(-25294): ErrNotFound,
		osStatus(-25308): ErrLocked,
		osStatus(-128):   ErrLocked,
		osStatus(-25293): ErrPassphrase,
		osStatus(-25291): ErrUnavailable,
		osStatus(-34018): ErrUnavailable,
		fmt.Errorf("wrapped: %w", osStatus(-25308)): ErrLocked,
		// The library's own wrapping keeps the text alone.
		fmt.Errorf("Failed to update item in keychain: %v", osStatus(-25293)): ErrPassphrase, //nolint:staticcheck,errorlint // the library's words
	} {
		if got := explainKeychain(err); !errors.Is(got, want) {
			t.Errorf("%v became %v, want %v", err, got, want)
		}
	}
	for _, err := range []error{errors.New("no number"), osStatus(-1), errors.New("(12)")} {
		for _, sentinel := range []error{ErrNotFound, ErrLocked, ErrPassphrase, ErrCorrupt} {
			if errors.Is(explainKeychain(err), sentinel) {
				t.Errorf("%v became %v", err, sentinel)
			}
		}
	}
}

func TestExplainWinCred(t *testing.T) {
	for err, want := range map[error]error{
		syscall.Errno(1168):                            ErrNotFound,
		syscall.Errno(1312):                            ErrUnavailable,
		fmt.Errorf("wrapped: %w", syscall.Errno(1783)): ErrUnavailable,
	} {
		if got := explainWinCred(err); !errors.Is(got, want) {
			t.Errorf("%v became %v, want %v", err, got, want)
		}
	}
	if errors.Is(explainWinCred(syscall.Errno(5)), ErrNotFound) {
		t.Error("access denied is no missing item")
	}
}

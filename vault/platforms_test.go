package vault

import (
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/99designs/keyring"
)

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

// What Windows refuses to list is not an empty list.
func TestListingRefused(t *testing.T) {
	r := newRing(Config{}, "wincred", ringConfig{}, explainWinCred)
	r.kr = keyring.NewArrayKeyring(nil)
	r.list = func() ([]string, error) { return nil, syscall.Errno(winNoLogonSession) }
	v := newOSVault(Config{StateDir: t.TempDir()}, "wincred", r)
	if _, err := v.Names(t.Context(), KindKey); !errors.Is(err, ErrUnavailable) {
		t.Errorf("names: %v", err)
	}
}

//go:build linux || darwin

package vault

import (
	"context"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// While another process derives the key, who has the same passphrase waits at
// its socket, takes no turn and asks nothing.
func TestTheKeyIsHandedOverWithoutATurn(t *testing.T) {
	t.Run("usual path", func(t *testing.T) { handsOverWithoutATurn(t, newDir(t)) })
	if runtime.GOOS == "linux" { // where a socket's path may have 107 bytes
		t.Run("long path", func(t *testing.T) {
			handsOverWithoutATurn(t, filepath.Join(t.TempDir(), strings.Repeat("long", 30), "vault"))
		})
	}
}

func handsOverWithoutATurn(t *testing.T, dir string) {
	t.Helper()
	f, _ := testFile(dir, says("x"))
	mustPut(t, f, KindKey, "k", "secret")

	given := func() ([]byte, bool) { return []byte("x"), true }
	deriving, derive := make(chan struct{}), make(chan struct{})
	first, _ := testFile(dir, says())
	first.cfg.Given = given
	first.cfg.AskAlone = func(context.Context, func() bool) (func(error), error) { return func(error) {}, nil }
	first.cfg.Passphrase = func(context.Context, PassphraseRequest) ([]byte, PassphraseOrigin, error) {
		close(deriving)
		<-derive
		return []byte("x"), FromEnvironment, nil
	}
	done := make(chan error, 1)
	go func() { _, err := first.Get(context.Background(), KindKey, "k"); done <- err }()
	<-deriving

	second, _ := testFile(dir, says())
	second.cfg.Given = given
	second.cfg.AskAlone = func(context.Context, func() bool) (func(error), error) {
		t.Error("it takes a turn")
		return nil, ErrLocked
	}
	got := make(chan error, 1)
	go func() { _, err := second.Get(context.Background(), KindKey, "k"); got <- err }()
	close(derive)
	for _, c := range []chan error{done, got} {
		if err := <-c; err != nil {
			t.Error(err)
		}
	}
	_, _ = second.Close(), first.Close()
}

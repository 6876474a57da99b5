package cmd

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// newContest is a fresh outside for the benchmarks. With PEER=path another
// program, which speaks aws-vault's command line, holds the same key in a
// store of its own beside groat's. Such programs know no endpoint but AWS's,
// so both then reach the double under AWS's names, through a proxy.
func newContest(b *testing.B, backend string) *outside {
	b.Helper()
	var environ []string
	switch backend {
	case "secret-service":
		environ = startSecretService(b)
	case "pass":
		environ = startPass(b)
	}
	path := os.Getenv("PEER")
	if path == "" {
		return newOutsideOn(b, backend, environ...)
	}
	peer, err := filepath.Abs(path)
	if err != nil {
		b.Fatal(err)
	}
	a := throughProxy(b)
	o := newOutsideAt(b, a, backend, environ...)
	o.peer = peer
	o.environ = append(o.environ, "GROAT="+o.binary) // for testdata/peer.sh
	c := o.peerCommand("add", "--env", "default")
	c.Env = append(c.Env, "AWS_ACCESS_KEY_ID="+a.key.ID, "AWS_SECRET_ACCESS_KEY="+a.key.Secret)
	o.must(c)
	// The key's own session asks the same device as the roles do.
	config, err := os.ReadFile(filepath.Join(o.home, ".aws", "config"))
	if err != nil {
		b.Fatal(err)
	}
	o.write(".aws/config", strings.Replace(string(config), "[default]\n", "[default]\n"+mfaProcess, 1))
	return o
}

// libraryPlace is where the keyring library, and the peer with it, keeps its
// items: a collection that exists, for a new one would have to be granted.
func (o *outside) libraryPlace() string {
	if o.backend == "secret-service" {
		return "login"
	}
	return filepath.Join(o.home, ".awsvault", "keys")
}

func (o *outside) libraryEnviron(environ []string) []string {
	environ = slices.Clip(environ)
	if o.backend != "secret-service" {
		// The library would start a bus for each run, and leave it behind.
		environ = append(environ, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")
	}
	return append(environ,
		"AWS_VAULT_BACKEND="+o.backend, "AWS_VAULT_FILE_PASSPHRASE=correct horse", "AWS_VAULT_FILE_DIR="+o.libraryPlace(),
		"AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME=login")
}

func (o *outside) peerCommand(words ...string) *exec.Cmd {
	c := exec.Command(o.peer, words...)
	c.Env, c.Dir = o.libraryEnviron(o.environ), o.home
	return c
}

func (o *outside) libraryCommand(words ...string) *exec.Cmd {
	c := exec.Command(libraryBinary(o.t), append([]string{o.backend, o.libraryPlace()}, words...)...)
	c.Env, c.Dir = o.libraryEnviron(o.environ), o.home
	return c
}

// fillLibrary stores the answer, and n others beside it where fill's are not
// in the same place already, as the keyring library does.
func (o *outside) fillLibrary(n int) {
	o.t.Helper()
	o.must(o.libraryCommand("put", filepath.Join(o.home, "answer")))
	if o.backend != "secret-service" {
		o.must(o.libraryCommand("fill", strconv.Itoa(n)))
	}
}

// peerWarm has the key's session minted.
func (o *outside) peerWarm() {
	o.newCode()
	o.must(o.peerCommand("export", "--format=json", "default"))
}

// peerCold forgets what the peer has minted, and nothing of groat's.
func (o *outside) peerCold() {
	o.t.Helper()
	for _, profile := range []string{"default", "admin"} {
		o.must(o.peerCommand("clear", profile))
	}
	if err := os.Remove(filepath.Join(o.home, "asked")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.t.Fatal(err)
	}
	o.newCode()
	o.ResetCalls()
}

// peerTogether runs n at once and returns how many answered: a code serves
// once, and programs that ask for one each have to fail.
func (o *outside) peerTogether(n int, profile string) (good int) {
	o.t.Helper()
	cmds := make([]*exec.Cmd, n)
	outs := make([]bytes.Buffer, n)
	for i := range cmds {
		cmds[i] = o.peerCommand("export", "--format=json", profile)
		cmds[i].Stdout = &outs[i]
		if err := cmds[i].Start(); err != nil {
			o.t.Fatal(err)
		}
	}
	for i, c := range cmds {
		if c.Wait() == nil && strings.Contains(outs[i].String(), "SessionToken") {
			good++
		}
	}
	return good
}

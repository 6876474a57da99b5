package cmd

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"groat/cmd/terminal"
	"groat/vault"
	"groat/vault/accesskey"
)

// runWith runs the real Main's parts on vaults that are given.
func runWith(t *testing.T, environ []string, vaults map[string]vault.Vault, words ...string) result {
	t.Helper()
	var out, errs strings.Builder
	a := newApp(environ, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	command, err := a.parse(words)
	for name, v := range vaults {
		a.vaults().Use(name, v)
	}
	if err == nil {
		err = command.(interface {
			Run(context.Context, *app) error
		}).Run(t.Context(), a)
	}
	code := a.report(t.Context(), err)
	return result{code, out.String(), errs.String()}
}

func TestMigrate(t *testing.T) {
	a := startAWS(t)
	environ := a.environment(t)
	mustRun(t, environ, a.key.ID+" "+a.key.Secret, "add", "--stdin", "--no-verify", "default")
	to := elsewhere{vault.NewMemory()}
	vaults := map[string]vault.Vault{"pass": to}
	run := func(words ...string) result {
		return runWith(t, environ, vaults, append([]string{"migrate", "--from", "file", "--to", "pass"}, words...)...)
	}
	wantOut(t, run("--dry-run"), 0, "would copy\tkey default ("+a.key.ID+")\tfile → pass")
	if names, _ := to.Names(t.Context(), vault.KindKey); len(names) != 0 {
		t.Fatalf("a dry run copied %v", names)
	}
	wantOut(t, run("nobody"), 4, `key "nobody"`, "1 of 1 item could not be moved")
	wantOut(t, run(), 0, "copied\tkey default")
	wantOut(t, run("--dry-run"), 0, "is there\tkey default")
	if _, err := vault.PutKey(t.Context(), to, "default", accesskey.Key{ID: "AKIAOTHEROTHEROTHER1", Secret: "s"}, vault.Card{}); err != nil {
		t.Fatal(err)
	}
	wantOut(t, run("--delete-source"), 2, "AKIAOTHEROTHEROTHER1", "--overwrite")
	wantOut(t, run("--delete-source", "--overwrite"), 0, "moved\tkey default")
	key, err := vault.GetKey(t.Context(), to, "default")
	if err != nil || key.ID != a.key.ID || key.Secret != a.key.Secret {
		t.Errorf("%v, %v", key, err)
	}
	wantOut(t, runMain(t, environ, "", "list", "--credentials"), 0)
	wantOut(t, run(), 0, "the file vault holds no keys")
	wantOut(t, runMain(t, environ, "", "migrate", "--from", "file", "--to", "file"), 2, "the same backend")
	wantOut(t, runMain(t, environ, "", "migrate", "--from", "file"), 2, "--to")
	wantOut(t, runMain(t, environ, "", "migrate", "--from", "auto", "--to", "file"), 2, "--from")
	// The record follows the key: without a named backend it is looked for there.
	state := newApp(environ, Streams{}).paths.state
	if keys, err := (&vault.Registry{StateDir: state}).Recorded(); err != nil || keys["default"] != "pass" {
		t.Errorf("recorded: %q, %v", keys, err)
	}
}

// TestRemoveLeavesNoCopy: a key that lies in two vaults is removed from both,
// and what serves it until then is the recorded one.
func TestRemoveLeavesNoCopy(t *testing.T) {
	environ := with(startAWS(t).environment(t), "GROAT_BACKEND=auto")
	registry := newApp(environ, Streams{}).vaults()
	first, second := elsewhere{vault.NewMemory()}, vault.NewMemory()
	vaults := map[string]vault.Vault{"auto": first, "pass": first, "keyctl": asKeyctl{second}}
	for i, v := range []vault.Vault{first, second} {
		if _, err := vault.PutKey(t.Context(), v, "twice", accesskey.Key{ID: fmt.Sprintf("AKIAOTHEROTHEROTHER%d", i), Secret: "s"}, vault.Card{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := registry.Note("twice", "keyctl"); err != nil {
		t.Fatal(err)
	}
	wantOut(t, runWith(t, environ, vaults, "credential-process", "twice", "--no-session"), 0, "AKIAOTHEROTHEROTHER1")
	wantOut(t, runWith(t, environ, vaults, "remove", "twice", "twice", "--force"), 0, "from the keyctl vault", "from the pass vault")
	for _, v := range []vault.Vault{first, second} {
		if names, _ := v.Names(t.Context(), vault.KindKey); len(names) != 0 {
			t.Errorf("%v stays", names)
		}
	}
	if keys, err := registry.Recorded(); keys["twice"] != "" || err != nil {
		t.Errorf("recorded: %q, %v", keys, err)
	}
}

// TestAKeyThatIsNotOnRecord: a key that was found where other keys are is the
// one that is used.
func TestAKeyThatIsNotOnRecord(t *testing.T) {
	environ := with(startAWS(t).environment(t), "GROAT_BACKEND=auto")
	registry := newApp(environ, Streams{}).vaults()
	chosen, holder := vault.NewMemory(), elsewhere{vault.NewMemory()}
	if _, err := vault.PutKey(t.Context(), holder, "late", accesskey.Key{ID: "AKIAOTHEROTHEROTHER1", Secret: "s"}, vault.Card{}); err != nil {
		t.Fatal(err)
	}
	for profile, backend := range map[string]string{"other": "pass", "third": "keyctl"} {
		if err := registry.Note(profile, backend); err != nil {
			t.Fatal(err)
		}
	}
	vaults := map[string]vault.Vault{"auto": chosen, "pass": holder, "keyctl": asKeyctl{vault.NewMemory()}}
	wantOut(t, runWith(t, environ, vaults, "credential-process", "late", "--no-session"), 0, "AKIAOTHEROTHEROTHER1")
}

// TestAKeyElsewhereIsNamed: a role whose key lies in another backend than the
// named one says where.
func TestAKeyElsewhereIsNamed(t *testing.T) {
	environ := with(startAWS(t).environment(t), "GROAT_BACKEND=pass")
	if err := newApp(environ, Streams{}).vaults().Note("default", "file"); err != nil {
		t.Fatal(err)
	}
	vaults := map[string]vault.Vault{"pass": elsewhere{vault.NewMemory()}}
	for _, profile := range []string{"admin", "default"} {
		wantOut(t, runWith(t, environ, vaults, "credential-process", profile), 4, "no access key is stored", "use --backend file")
	}
}

type asKeyctl struct{ *vault.Memory }

func (asKeyctl) Backend() string { return "keyctl" }

// TestALockedVaultIsAskedOnce: whoever declines is not asked for every key.
func TestALockedVaultIsAskedOnce(t *testing.T) {
	environ := startAWS(t).environment(t)
	m := vault.NewMemory()
	for _, name := range []string{"a", "b", "c"} {
		if _, err := vault.PutKey(t.Context(), m, name, accesskey.Key{ID: "AKIAOTHEROTHEROTHER1", Secret: "s"}, vault.Card{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, refusal := range []error{vault.ErrLocked, vault.ErrPassphrase, terminal.ErrInterrupted} {
		asked := 0
		m.Fail = func(op string, _ vault.Kind, _ string) error {
			if op != "get" {
				return nil
			}
			asked++
			return refusal
		}
		vaults := map[string]vault.Vault{"file": m, "pass": elsewhere{vault.NewMemory()}}
		for _, words := range [][]string{{"list"}, {"list", "--json"}, {"migrate", "--from", "file", "--to", "pass"}} {
			asked = 0
			if r := runWith(t, environ, vaults, words...); r.code == 0 || r.stdout != "" || asked != 1 {
				t.Errorf("%v after %v: asked %d times, exit code %d\n%s", words, refusal, asked, r.code, r.stdout)
			}
		}
	}
}

// elsewhere is a vault in memory under the name of another backend.
type elsewhere struct{ *vault.Memory }

func (elsewhere) Backend() string { return "pass" }

package cmd

import (
	"context"
	"strings"
	"testing"

	"groat/vault"
)

// runWith runs the real Main's parts on vaults that are given.
func runWith(t *testing.T, environ []string, vaults map[string]vault.Vault, words ...string) result {
	t.Helper()
	var out, errs strings.Builder
	a := newApp(environ, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	for name, v := range vaults {
		a.vaults[name] = v
	}
	command, err := a.parse(words)
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
	if _, err := vault.PutKey(t.Context(), to, "default", vault.AccessKey{ID: "AKIAOTHEROTHEROTHER1", Secret: "s"}, vault.Card{}); err != nil {
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
	if backend, ok := vault.Recorded(state, "default"); !ok || backend != "pass" {
		t.Errorf("recorded in %q, %v", backend, ok)
	}
}

// elsewhere is a vault in memory under the name of another backend.
type elsewhere struct{ *vault.Memory }

func (elsewhere) Backend() string { return "pass" }

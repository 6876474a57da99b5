package provider_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
)

// needsShell skips tests whose lines are for sh, and whose files have modes.
func needsShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("for systems with sh and file modes")
	}
}

// processWorld has a profile "p" with a foreign credential_process and a role
// over it.
func processWorld(t *testing.T, line string) *world {
	needsShell(t)
	w := newWorld(t).role("r", ststest.RoleOptions{Trusted: []string{"arn:aws:iam::" + account + ":root"}})
	w.config = "[profile p]\ncredential_process = " + line + "\n[profile r]\nsource_profile = p\nrole_arn = " + roleARN("r") + "\n"
	return w
}

func (w *world) runs(name string, environ ...string) error {
	w.t.Helper()
	m := w.newMinter()
	m.Environ = append([]string{"PATH=/usr/bin:/bin"}, environ...)
	_, err := m.Credentials(w.t.Context(), w.plan(name, provider.Options{}))
	return err
}

// output is what a credential_process prints, for credentials of the double.
func (w *world) output(d time.Duration) string {
	w.srv.AddRole(roleARN("instance"), ststest.RoleOptions{})
	id, secret, token, expires := w.srv.Grant(roleARN("instance"), "i-1", d)
	return `{"Version":1,"AccessKeyId":"` + id + `","SecretAccessKey":"` + secret + `","SessionToken":"` + token + `","Expiration":"` + expires.Format(time.RFC3339) + `","AccountId":"` + account + `"}`
}

func TestForeignProcess(t *testing.T) {
	w := processWorld(t, `echo run >> "$COUNT"; printf '%s' "$OUTPUT"`)
	count := filepath.Join(t.TempDir(), "count")
	environ := []string{"COUNT=" + count, "OUTPUT=" + w.output(time.Hour)}
	for range 2 {
		if err := w.runs("r", environ...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.runs("p", environ...); err != nil {
		t.Fatal(err)
	}
	w.wantCalls(assumeRole)
	if b, _ := os.ReadFile(count); strings.Count(string(b), "run") != 1 {
		t.Errorf("the process ran %d times, want once", strings.Count(string(b), "run"))
	}
}

// A process that is done has answered, whatever it left running with its
// standard output open (an agent that it started).
func TestForeignProcessThatStartsAnAgent(t *testing.T) {
	w := processWorld(t, `(sleep 4 &); printf '%s' "$OUTPUT"`)
	if err := w.runs("p", "OUTPUT="+w.output(time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestForeignProcessWithoutExpirationIsRunEachTime(t *testing.T) {
	w := processWorld(t, `echo run >> "$COUNT"; printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s"}' "$ID" "$SECRET"`)
	count := filepath.Join(t.TempDir(), "count")
	for range 2 {
		if err := w.runs("p", "COUNT="+count, "ID="+w.key.ID, "SECRET="+w.key.Secret); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(count); strings.Count(string(b), "run") != 2 {
		t.Error("credentials without an end were kept")
	}
}

func TestFailingProcesses(t *testing.T) {
	for name, c := range map[string]struct{ line, says string }{
		"exit code":          {`echo SECRETTEXT; exit 7`, "exit status 7"},
		"no JSON":            {`echo SECRETTEXT`, "JSON"},
		"other version":      {`printf '{"Version":2,"AccessKeyId":"SECRETTEXT"}'`, "version 2"},
		"no secret":          {`printf '{"Version":1,"AccessKeyId":"SECRETTEXT"}'`, "no AccessKeyId or no SecretAccessKey"},
		"bad expiration":     {`printf '{"Version":1,"AccessKeyId":"SECRETTEXT","SecretAccessKey":"x","Expiration":"tomorrow"}'`, "RFC 3339"},
		"too much":           {`yes SECRETTEXT | head -c 100000`, "64 KiB"},
		"command not found":  {`no-such-command-of-anybody SECRETTEXT`, "exit status 127"},
		"killed by a signal": {`kill -9 $$`, "killed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := processWorld(t, c.line)
			err := w.runs("r")
			wantError(t, err, provider.ErrBadProcess, "credential_process", `"p"`, c.says, "by hand")
			if strings.Contains(err.Error(), "SECRETTEXT") {
				t.Errorf("the output or the line is in the error: %v", err)
			}
			w.wantCalls()
		})
	}
}

func TestProcessThatDoesNotEnd(t *testing.T) {
	w := processWorld(t, "sleep 600")
	m := w.newMinter()
	m.Run = func(cmd *exec.Cmd) error {
		if err := cmd.Start(); err != nil {
			return err
		}
		// What the time-out does, without waiting for it.
		if err := cmd.Cancel(); err != nil {
			return err
		}
		return cmd.Wait()
	}
	_, err := m.Credentials(t.Context(), w.plan("p", provider.Options{}))
	wantError(t, err, provider.ErrBadProcess, "killed")
}

func TestProcessesThatCallEachOtherInACircle(t *testing.T) {
	w := processWorld(t, "calls-groat-for-r")
	var environ []string
	m := w.newMinter()
	m.Environ = []string{"A=1", provider.ProcessChainVariable + "=stale"}
	m.Run = func(cmd *exec.Cmd) error { environ = cmd.Env; return errors.New("stopped here") }
	_, err := m.Credentials(t.Context(), w.plan("p", provider.Options{}))
	wantError(t, err, provider.ErrBadProcess)
	var chain string
	for _, kv := range environ {
		if v, ok := strings.CutPrefix(kv, provider.ProcessChainVariable+"="); ok {
			if chain != "" {
				t.Error("the variable is there twice")
			}
			chain = v
		}
	}
	if chain == "" {
		t.Fatalf("the child's environment lacks the guard: %v", environ)
	}

	// The child, or a child of its: its process would be the one that waits for it.
	w.env[provider.ProcessChainVariable] = "other%20one:0000," + chain + ",between:1111"
	_, err = w.mint("r", provider.Options{})
	wantError(t, err, profile.ErrCycle, "p → between → r → p,")

	// The same name with another line is another profile.
	w.config = strings.Replace(w.config, "calls-groat-for-r", "true", 1)
	_, err = w.mint("p", provider.Options{})
	wantError(t, err, provider.ErrBadProcess, "JSON")
}

func TestMFAProcessThatCallsGroatForTheSameProfile(t *testing.T) {
	w := mfaRoles(t)
	w.config += "mfa_process = get-code\n"
	m := w.newMinter()
	m.Run = func(cmd *exec.Cmd) error {
		_, w.env[provider.ProcessChainVariable], _ = strings.Cut(cmd.Env[len(cmd.Env)-1], "=")
		return errors.New("stopped here")
	}
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrNoCode)
	_, err = w.mint("admin", provider.Options{})
	wantError(t, err, profile.ErrCycle, "admin → admin")
}

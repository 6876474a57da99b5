package cmd

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Four rotations at once leave one key, and it works; those that came second
// say so, and never advise to delete the key in flight.
func TestConcurrentRotations(t *testing.T) {
	a := startAWS(t)
	env := append(a.environment(t), "GROAT_NO_INPUT=1")
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin", "--mfa-serial", "none", "--no-config")
	binary := groatBinary(t)
	var wg sync.WaitGroup
	results := make([]result, 4)
	for i := range results {
		wg.Go(func() {
			c := exec.Command(binary, "rotate", "default")
			c.Env = env
			out, _ := c.CombinedOutput()
			results[i] = result{code: c.ProcessState.ExitCode(), stderr: string(out)}
		})
	}
	wg.Wait()
	good := 0
	for _, r := range results {
		switch {
		case r.code == exitOK:
			good++
		case r.code != exitFailure || !strings.Contains(r.stderr, "another groat"):
			t.Errorf("exit code %d: %s", r.code, r.stderr)
		}
		if strings.Contains(r.stderr, "--delete-key") {
			t.Errorf("a key in flight is up for deletion: %s", r.stderr)
		}
	}
	keys := a.user.AccessKeys()
	if good == 0 || len(keys) != 1 || keys[0].ID == a.key.ID {
		t.Errorf("%d rotated, %d keys left", good, len(keys))
	}
	if r := mustRun(t, env, "", "whoami", "default"); !strings.Contains(r.stdout, "user/myusername") {
		t.Error(r)
	}
}

// Cut off for want of a second code, after AWS ended the session with its
// key, it goes on when it is run again.
func TestRotationWantsASecondCode(t *testing.T) {
	a := startAWS(t)
	a.user.RequireMFA(8 * 3600e9)
	env := append(a.environment(t), "GROAT_NO_INPUT=1")
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	r := runMain(t, env, "", "rotate", "default", "--mfa-code", a.device.FreshCode())
	if r.code != exitNoCode || !strings.Contains(r.stderr, "together with the old key") || !strings.Contains(r.stderr, "run this again to finish") {
		t.Fatalf("%+v", r)
	}
	r = mustRun(t, env, "", "rotate", "default", "--mfa-code", a.device.FreshCode())
	if keys := a.user.AccessKeys(); len(keys) != 1 || !strings.Contains(r.stderr, "resuming the rotation") || !strings.Contains(r.stderr, "deleted access key "+a.key.ID) {
		t.Errorf("%d keys: %s", len(keys), r.stderr)
	}
	if n := a.Count("iam:CreateAccessKey"); n != 1 {
		t.Errorf("%d keys were created", n)
	}
}

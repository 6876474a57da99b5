package cmd

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"groat/provider"
)

const mfaSerial = "arn:aws:iam::123456789012:mfa/myusername"

// A stored seed answers for its device: no prompt, no --mfa-code.
func TestStoredSeedAnswers(t *testing.T) {
	a := startAWS(t)
	env := a.environment(t)
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")

	r := runMain(t, env, "", "mfa", "code", "admin", "--no-input")
	if r.code != exitVault || r.stdout != "" || !strings.Contains(r.stderr, "groat mfa seed") {
		t.Errorf("without a seed: %+v", r)
	}
	r = mustRun(t, env, strings.ToLower(a.device.Secret)+"\n", "mfa", "seed", "admin", "--stdin")
	if r.stdout != "" || strings.Contains(strings.ToUpper(r.stderr), a.device.Secret) || !strings.Contains(r.stderr, "makes two factors one") {
		t.Errorf("storing: %+v", r)
	}
	if r := runMain(t, env, a.device.Secret, "mfa", "seed", "admin", "--stdin"); r.code != exitUsage || !strings.Contains(r.stderr, "--overwrite") {
		t.Errorf("storing again: %+v", r)
	}
	mustRun(t, env, a.device.Secret, "mfa", "seed", "--overwrite", "admin", "--stdin")
	if r := mustRun(t, env, "", "mfa", "code", "admin"); len(r.stdout) != 7 {
		t.Errorf("code: %+v", r)
	}
	a.ResetCalls()
	if r := mustRun(t, env, "", "credential-process", "admin", "--no-input"); !strings.Contains(r.stdout, `"SessionToken"`) || a.Count("sts:GetSessionToken") != 1 {
		t.Errorf("minting: %+v, calls %v", r, a.Names())
	}
	mustRun(t, env, "", "mfa", "seed", "admin", "--delete")
	if r := runMain(t, env, "", "mfa", "seed", "admin", "--delete"); r.code != exitVault {
		t.Errorf("deleting again: %+v", r)
	}
	mustRun(t, env, "", "clear")
	if r := runMain(t, env, "", "credential-process", "admin", "--no-input"); r.code != exitNoCode || r.stdout != "" {
		t.Errorf("minting without the seed: %+v", r)
	}
}

// What is on the disk gives no seed away, and `list` does not open it.
func TestSeedIsSealed(t *testing.T) {
	a := startAWS(t)
	env := a.environment(t)
	mustRun(t, env, a.key.ID+" "+a.key.Secret, "add", "default", "--stdin")
	mustRun(t, env, a.device.Secret, "mfa", "seed", "default", "--stdin")
	home := homeOf(env)
	files := 0
	_ = filepath.WalkDir(home, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), a.device.Secret) {
			t.Errorf("%s holds the seed", path)
		}
		files++
		return err
	})
	if files < 3 {
		t.Errorf("only %d files looked at", files)
	}
}

// `mfa code` waits where the current code was sent to AWS already.
func TestMFACodeWaitsForAFreshOne(t *testing.T) {
	double := startAWS(t)
	env := double.environment(t)
	mustRun(t, env, double.key.ID+" "+double.key.Secret, "add", "default", "--stdin")
	mustRun(t, env, double.device.Secret, "mfa", "seed", "default", "--stdin")

	var out, errs strings.Builder
	a := newApp(env, Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
	defer a.close()
	clock := time.Unix(1_700_000_005, 0)
	var waited []time.Duration
	a.now = func() time.Time { return clock }
	a.wait = func(_ context.Context, d time.Duration) error {
		waited = append(waited, d)
		clock = clock.Add(d)
		return nil
	}
	command, err := a.parse([]string{"mfa", "code", "default"})
	if err != nil {
		t.Fatal(err)
	}
	run := func() string {
		t.Helper()
		out.Reset()
		if err := command.Run(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
	first := run()
	if again := run(); again != first || len(waited) != 0 {
		t.Fatalf("%s after %s: looking spends a code", again, first)
	}
	v, err := a.vaults().Place("default")
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err := a.vaults().sessions(v).UsedCodes().Use(t.Context(), mfaSerial, first, clock.Unix()/30); err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	second := run()
	want, _, err := provider.TOTP(double.device.Secret, clock)
	if err != nil || second != want || second == first || len(waited) != 1 {
		t.Errorf("%s after %s (want %s), waited %v, %v", second, first, want, waited, err)
	}
	a.wait = func(context.Context, time.Duration) error { return context.Canceled }
	if _, err := a.vaults().sessions(v).UsedCodes().Use(t.Context(), mfaSerial, second, clock.Unix()/30); err != nil {
		t.Fatal(err)
	}
	if err := command.Run(t.Context(), a); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestParseSeed(t *testing.T) {
	const seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, in := range []string{seed, strings.ToLower(seed), " gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n", "GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ",
		"otpauth://totp/Amazon%20Web%20Services:alice@123456789012?secret=" + seed + "&issuer=Amazon%20Web%20Services"} {
		if got, err := parseSeed(in); err != nil || got != seed {
			t.Errorf("parseSeed(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "  ", "123456", "GEZDGNBV", "hunter2-hunter2-hunter2!", "otpauth://hotp/x?secret=" + seed + "&counter=1",
		"otpauth://totp/x?secret=" + seed + "&digits=8", "otpauth://totp/x?secret=" + seed + "&period=60", "otpauth://totp/x?secret=" + seed + "&algorithm=SHA256", "otpauth://%zz"} {
		if got, err := parseSeed(in); err == nil {
			t.Errorf("parseSeed(%q) = %q", in, got)
		} else if in != "" && strings.Contains(err.Error(), strings.TrimSpace(in)) && strings.TrimSpace(in) != "" {
			t.Errorf("the error repeats the input: %v", err)
		}
	}
}

func TestChooseDevice(t *testing.T) {
	const u2f = "arn:aws:iam::123456789012:u2f/user/alice/key-ABC"
	for _, c := range []struct {
		serials []string
		want    string
		says    string
	}{
		{nil, "", ""},
		{[]string{"A12345678"}, "A12345678", ""},
		{[]string{u2f}, "", "FIDO2"},
		{[]string{u2f, "A12345678"}, "A12345678", ""},
		{[]string{"A12345678", "B12345678"}, "A12345678", "--mfa-serial B12345678"},
	} {
		var errs strings.Builder
		a := newApp([]string{"GROAT_NO_INPUT=1"}, Streams{Err: &errs})
		a.cli.NoInput = true
		got, err := a.prompts.chooseDevice(t.Context(), c.serials)
		if err != nil || got != c.want || !strings.Contains(errs.String(), c.says) || c.says == "" && errs.Len() > 0 {
			t.Errorf("%v: %q, %v, said %q", c.serials, got, err, errs.String())
		}
	}
}

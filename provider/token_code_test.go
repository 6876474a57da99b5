package provider_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/profile"
	"groat/provider/ststest"
	"groat/session"
	"groat/session/flight"
)

func (w *world) given(code string) (session.Credentials, error) {
	m := w.newMinter()
	m.MFACode = code
	return m.Credentials(w.t.Context(), w.plan("admin", provider.Options{}))
}

func TestRefusedCodeIsAskedAgainTwice(t *testing.T) {
	w := mfaRoles(t)
	wrong := w.device.WrongCode()
	other := strings.Repeat(string('0'+(wrong[0]-'0'+1)%8), 6)
	w.prompt.answers = []string{wrong, other}
	w.mustMint("admin", provider.Options{})
	w.wantPrompts(3)
	if r := w.prompt.requests; r[0].Reason != "" || r[1].Attempt != 2 || !strings.HasPrefix(r[1].Reason, "AWS refused the token code: ") || !strings.HasSuffix(r[1].Reason, "(tries left: 2)") || !strings.HasSuffix(r[2].Reason, "(tries left: 1)") || r[2].Attempt != 3 ||
		r[0].MFASerial != w.device.Serial || r[0].RoleARN != roleARN("admin") || r[0].Profile != "admin" {
		t.Errorf("requests: %+v", r)
	}
}

func TestThreeRefusedCodesAreFinal(t *testing.T) {
	w := mfaRoles(t)
	w.prompt.answers = []string{"000001", "000002", "000003", "000004"}
	_, err := w.mint("admin", provider.Options{})
	wantError(t, err, provider.ErrRefused, "one time pass code", "next code")
	w.wantPrompts(3)
	if code, final := isFinal(err); !final || code != "refused-code" {
		t.Errorf("Final: %q, %v", code, final)
	}
}

func TestUsedCodeIsNeverSentAgain(t *testing.T) {
	w := mfaRoles(t)
	code := w.device.FreshCode()
	if _, err := w.given(code); err != nil {
		t.Fatal(err)
	}
	w.store.items = map[string][]byte{}
	w.srv.ResetCalls()
	_, err := w.given(code)
	wantError(t, err, provider.ErrNoCode, "used before", "next code")
	w.wantCalls()

	// At a prompt the person is told, and the next code is taken.
	w.prompt.answers = []string{code}
	w.mustMint("admin", provider.Options{})
	if r := w.prompt.requests; len(r) != 2 || r[1].Reason != "this token code was already used: wait for the next one" {
		t.Errorf("requests: %+v", r)
	}
	w.wantCalls(getSessionToken, assumeRole)
}

func TestRefusedGivenCode(t *testing.T) {
	w := mfaRoles(t)
	_, err := w.given(w.device.WrongCode())
	wantError(t, err, provider.ErrRefused, "one time pass code")
	w.wantPrompts(0)
	_, err = w.given("12345")
	wantError(t, err, provider.ErrNoCode, "did not give six digits")
	w.wantCalls(getSessionToken + " AccessDenied")
}

func TestNobodyToAsk(t *testing.T) {
	w := mfaRoles(t)
	m := w.newMinter()
	m.Codes = nil
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrNoCode, w.device.Serial)
	if _, final := isFinal(err); final {
		t.Error("having nobody to ask ended the wait of those who may have somebody")
	}
	w.wantCalls()
}

func TestCancelledPromptIsFinal(t *testing.T) {
	w := mfaRoles(t)
	w.prompt.err = provider.ErrCancelled
	_, err := w.mint("admin", provider.Options{})
	wantError(t, err, provider.ErrCancelled)
	code, final := isFinal(err)
	if !final || code != "cancelled" {
		t.Errorf("Final: %q, %v", code, final)
	}
	restored := (provider.Outcomes{}).Restore(code)
	wantError(t, restored, provider.ErrCancelled, "another process")
	if again, final := isFinal(restored); !final || again != code {
		t.Errorf("a restored failure is no longer final")
	}
	if err := (provider.Outcomes{}).Restore("something else"); !errors.Is(err, flight.ErrEnded) {
		t.Errorf("an unknown class was restored as %v", err)
	}
}

func TestCancelledPromptEndsForAllWhoWait(t *testing.T) {
	w := mfaRoles(t)
	w.config = strings.Replace(w.config, "[default]", "[default]\nmfa_serial = "+w.device.Serial, 1)
	const waiters = 5
	asked, cancel, waiting := make(chan struct{}), make(chan struct{}), make(chan struct{}, waiters)
	var prompts atomic.Int32
	var wg sync.WaitGroup
	errs := make(chan error, waiters+1)
	start := func() {
		m, p := w.newMinter(), w.plan("default", provider.Options{})
		m.Cache.Flight.Debugf = func(format string, _ ...any) {
			if strings.HasPrefix(format, "waiting for") {
				waiting <- struct{}{}
			}
		}
		m.Codes = codeFunc(func(context.Context, provider.CodeRequest) (string, error) {
			if prompts.Add(1) == 1 {
				close(asked)
			}
			<-cancel
			return "", provider.ErrCancelled
		})
		wg.Go(func() {
			_, err := m.Credentials(context.Background(), p)
			errs <- err
		})
	}
	start()
	<-asked
	for range waiters {
		start()
	}
	for range waiters {
		<-waiting
	}
	close(cancel)
	wg.Wait()
	for range waiters + 1 {
		if err := <-errs; !errors.Is(err, provider.ErrCancelled) {
			t.Errorf("error is %v", err)
		}
	}
	if n := prompts.Load(); n != 1 {
		t.Errorf("%d prompts, want 1", n)
	}
}

type codeFunc func(context.Context, provider.CodeRequest) (string, error)

func (f codeFunc) TokenCode(ctx context.Context, r provider.CodeRequest) (string, error) {
	return f(ctx, r)
}

func TestManyProcessesCostOneCode(t *testing.T) {
	w := mfaRoles(t)
	var wg sync.WaitGroup
	for i := range 20 {
		m, p := w.newMinter(), w.plan([]string{"admin", "readonly"}[i%2], provider.Options{})
		wg.Go(func() {
			if _, err := m.Credentials(context.Background(), p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.wantPrompts(1)
	if s, r := w.srv.Count(getSessionToken), w.srv.Count(assumeRole); s != 1 || r != 2 {
		t.Errorf("%d sessions and %d roles, want 1 and 2", s, r)
	}
}

func TestMFAProcess(t *testing.T) {
	needsShell(t)
	w := mfaRoles(t)
	w.config += "mfa_process = printf '%s\\n' \"$CODE\"\n"
	m := w.newMinter()
	m.Environ = []string{"PATH=/usr/bin:/bin", "CODE=" + w.device.FreshCode()}
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	w.wantPrompts(0)
	w.wantCalls(getSessionToken, assumeRole)

	// The same code again is not sent: the process is run again in the next step.
	w.store.items = map[string][]byte{}
	waits := 0
	m = w.newMinter()
	m.Environ = []string{"PATH=/usr/bin:/bin", "CODE=" + w.device.Code(time.Now())}
	m.Wait = func(_ context.Context, d time.Duration) error {
		if waits++; d <= 0 || d > 30*time.Second {
			t.Errorf("waits %s", d)
		}
		m.Environ[1] = "CODE=" + w.device.FreshCode()
		return nil
	}
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	if waits != 1 {
		t.Errorf("%d waits, want 1", waits)
	}
}

func TestMFAProcessThatRepeatsItself(t *testing.T) {
	w := mfaRoles(t)
	code := w.device.FreshCode()
	if _, err := w.given(code); err != nil {
		t.Fatal(err)
	}
	clear(w.store.items)
	w.srv.ResetCalls()
	w.config += "mfa_process = echo " + code + "\n"
	waits := 0
	m := w.newMinter()
	m.Wait = func(context.Context, time.Duration) error { waits++; return nil }
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrNoCode, "mfa_process gives codes that were used before")
	if waits != 1 {
		t.Errorf("%d waits, want 1", waits)
	}
	w.wantCalls()
}

// A generator without another code does not hide what AWS's trouble was.
func TestTroubleBeforeARepeatedCode(t *testing.T) {
	needsShell(t)
	w := mfaRoles(t)
	w.config += "mfa_process = echo " + w.device.FreshCode() + "\n"
	w.srv.Inject(ststest.Fault{Status: 500})
	m := w.newMinter()
	m.Wait = func(context.Context, time.Duration) error { return nil }
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrUnreachable, "InternalFailure")
	w.wantCalls(getSessionToken + " InternalFailure")
}

func TestFailingMFAProcess(t *testing.T) {
	needsShell(t)
	w := mfaRoles(t)
	w.config += "mfa_process = SECRET=1; exit 3\n"
	_, err := w.mint("admin", provider.Options{})
	wantError(t, err, provider.ErrNoCode, "mfa_process", "exit status 3")
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("the command line is in the error: %v", err)
	}
	w.wantPrompts(0)
	w.wantCalls()
	if _, final := isFinal(err); !final {
		t.Error("those who wait would run the failing process again")
	}
}

func TestStoredSeed(t *testing.T) {
	w := mfaRoles(t)
	m := w.newMinter()
	m.Seeds = seeds{w.device.Serial: w.device.Secret}
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); err != nil {
		t.Fatal(err)
	}
	w.wantPrompts(0)

	// A code of the step that was used already is not generated again.
	w.store.items = map[string][]byte{}
	waited := errors.New("waited")
	m.Wait = func(context.Context, time.Duration) error { return waited }
	if _, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{})); !errors.Is(err, waited) {
		// The clock may have gone on to the next step in between.
		if err != nil || time.Now().Unix()%30 > 5 {
			t.Errorf("error is %v", err)
		}
	}
	m.Seeds = seeds{w.device.Serial: "not base32!"}
	_, err := m.Credentials(t.Context(), w.plan("readonly", provider.Options{SessionTTL: time.Hour}))
	wantError(t, err, provider.ErrNoCode, "base32", "mfa seed")
	if strings.Contains(err.Error(), "not base32!") {
		t.Error("the seed is in the error")
	}
}

type seeds map[string]string

func (s seeds) Seed(_ context.Context, serial string) (string, bool, error) {
	secret, ok := s[serial]
	return secret, ok, nil
}

func TestCodesAfterTroubleAtAWS(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   ststest.Fault
		prompts int
		calls   []string
	}{
		// Turned away before anybody looked at the code: the same one goes out again.
		{"throttled", ststest.Fault{Status: 429, Times: 1}, 1, []string{getSessionToken + " Throttling", getSessionToken, assumeRole}},
		{"unavailable", ststest.Fault{Status: 503, Times: 1}, 1, []string{getSessionToken + " ServiceUnavailable", getSessionToken, assumeRole}},
		// Perhaps taken: a new one is asked for.
		{"internal failure", ststest.Fault{Status: 500, Times: 1}, 2, []string{getSessionToken + " InternalFailure", getSessionToken, assumeRole}},
		{"lost answer", ststest.Fault{Kind: ststest.FaultDrop, Times: 1}, 2, []string{getSessionToken, getSessionToken, assumeRole}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := mfaRoles(t)
			w.srv.Inject(c.fault)
			w.mustMint("admin", provider.Options{})
			w.wantPrompts(c.prompts)
			w.wantCalls(c.calls...)
		})
	}
}

func TestCodeThatNeverWentOutMayBeUsedAgain(t *testing.T) {
	w := mfaRoles(t)
	code := w.device.FreshCode()
	w.env["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
	_, err := w.given(code)
	wantError(t, err, provider.ErrUnreachable, "refused")
	w.env["AWS_ENDPOINT_URL"] = w.srv.URL
	if _, err := w.given(code); err != nil {
		t.Errorf("the unsent code was taken for used: %v", err)
	}
}

func TestInterruption(t *testing.T) {
	w := mfaRoles(t)
	ctx, cancel := context.WithCancel(t.Context())
	m := w.newMinter()
	m.Codes = codeFunc(func(context.Context, provider.CodeRequest) (string, error) {
		cancel()
		return w.device.FreshCode(), nil
	})
	_, err := m.Credentials(ctx, w.plan("admin", provider.Options{}))
	if !errors.Is(err, provider.ErrInterrupted) && !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if _, final := isFinal(err); final {
		t.Error("stopping one process ended the wait of the others")
	}
}

func TestProcessesGetNoInput(t *testing.T) {
	w := mfaRoles(t)
	w.config += "mfa_process = cat; printf 000000\n"
	m := w.newMinter()
	m.Run = func(cmd *exec.Cmd) error {
		if cmd.Stdin != nil {
			t.Error("a process of the configuration may read groat's standard input")
		}
		return errors.New("not run")
	}
	_, err := m.Credentials(t.Context(), w.plan("admin", provider.Options{}))
	wantError(t, err, provider.ErrNoCode, "not run")
}

func TestSecurityKeySerialIsRefused(t *testing.T) {
	w := mfaRoles(t)
	w.config = strings.ReplaceAll(w.config, w.device.Serial, "arn:aws:iam::123456789012:u2f/user/alice/key-ABC")
	_, err := w.tryPlan(w.resolve("admin", profile.ResolveOptions{}), provider.Options{})
	wantError(t, err, profile.ErrUnsupported, "FIDO2", "virtual MFA device", "--mfa-serial")
}

func TestFinalWithoutAQuestion(t *testing.T) {
	refused := &provider.CallError{Operation: "sts:AssumeRole", Profile: "p", Code: "AccessDenied", Err: provider.ErrRefused}
	silent := &provider.CallError{Operation: "sts:AssumeRole", Profile: "p", Err: provider.ErrUnreachable}
	for _, tt := range []struct {
		name string
		err  error
		code string
	}{
		{"refused", fmt.Errorf("wrapped: %w", refused), "refused"},
		{"unreachable", silent, "unreachable"},
		{"stopped", errors.Join(silent, context.Canceled), ""},
		{"interrupted", errors.Join(silent, provider.ErrInterrupted), ""},
		{"no key", provider.ErrNoKey, ""},
		{"nobody to ask", provider.ErrNoCode, ""},
	} {
		code, final := isFinal(tt.err)
		if code != tt.code || final != (tt.code != "") {
			t.Errorf("%s: %q, %v", tt.name, code, final)
		}
		if !final {
			continue
		}
		restored := (provider.Outcomes{}).Restore(code)
		if again, _ := isFinal(restored); again != code || errors.Is(tt.err, provider.ErrRefused) != errors.Is(restored, provider.ErrRefused) {
			t.Errorf("%s: passed on as %q, then as %q", tt.name, restored, again)
		}
	}
}

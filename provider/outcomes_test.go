package provider_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"groat/provider"
	"groat/provider/ststest"
)

// asker is a process that has been asked for a code and has not answered.
type asker struct {
	answer chan string // "" cancels
	err    chan error
}

// whoAsks starts a process and waits until it is asked.
func (w *world) whoAsks(p *provider.Plan) *asker {
	w.t.Helper()
	a := &asker{answer: make(chan string), err: make(chan error, 1)}
	asked := make(chan struct{}, 1)
	m := w.newMinter()
	m.Codes = codeFunc(func(context.Context, provider.CodeRequest) (string, error) {
		asked <- struct{}{}
		code := <-a.answer
		if code == "" {
			return "", provider.ErrCancelled
		}
		return code, nil
	})
	go func() {
		_, err := m.Credentials(context.Background(), p)
		a.err <- err
	}()
	select {
	case <-asked:
	case err := <-a.err:
		w.t.Fatalf("ended before it was asked: %v", err)
	}
	return a
}

// whoWaits starts a process and waits until it waits for another.
func (w *world) whoWaits(m *provider.Minter, p *provider.Plan) chan error {
	w.t.Helper()
	waiting, done := make(chan struct{}, 8), make(chan error, 1)
	m.Cache.Flight.Debugf = func(format string, _ ...any) {
		if strings.HasPrefix(format, "waiting for") {
			waiting <- struct{}{}
		}
	}
	go func() {
		_, err := m.Credentials(context.Background(), p)
		done <- err
	}()
	select {
	case <-waiting:
	case err := <-done:
		w.t.Fatalf("did not wait: %v", err)
	}
	return done
}

// AWS refuses the call of the one who was asked, not the code: the one who
// waits for the device has a call of its own to make.
func TestARefusedCallEndsNoWaitForItsDevice(t *testing.T) {
	w := mfaRoles(t).role("short", ststest.RoleOptions{RequireMFA: true, MaxSession: time.Hour})
	w.config += "[profile short]\nrole_arn = " + roleARN("short") + "\nsource_profile = default\nmfa_serial = " + w.device.Serial + "\n"
	long := provider.Options{AssumeRoleTTL: 2 * time.Hour} // straight from the key, with a code each
	first := w.whoAsks(w.plan("short", long))
	second := w.whoWaits(w.newMinter(), w.plan("admin", long))
	same := w.whoWaits(w.newMinter(), w.plan("short", long))
	first.answer <- w.device.FreshCode()
	wantError(t, <-first.err, provider.ErrRefused, "MaxSessionDuration")
	wantError(t, <-same, provider.ErrRefused, "another process")
	if err := <-second; err != nil {
		t.Errorf("the other role: %v", err)
	}
	w.wantPrompts(1)
}

// A declined question ends for the other roles of its device, too.
func TestADeclinedQuestionEndsForItsDevice(t *testing.T) {
	w := mfaRoles(t)
	long := provider.Options{AssumeRoleTTL: 2 * time.Hour}
	first := w.whoAsks(w.plan("readonly", long))
	second := w.whoWaits(w.newMinter(), w.plan("admin", long))
	first.answer <- ""
	wantError(t, <-first.err, provider.ErrCancelled)
	wantError(t, <-second, provider.ErrCancelled, "another process")
	w.wantPrompts(0)
}

// A code that was given on the command line is the process's own: that it was
// refused is no answer to anybody else, and whoever has one of his own does
// not care what became of a question.
func TestAGivenCodeIsOnesOwn(t *testing.T) {
	w := mfaRoles(t)
	_, err := w.given(w.device.WrongCode())
	wantError(t, err, provider.ErrRefused, "one time pass code")
	if code, final := isFinal(err); final {
		t.Errorf("a refused code of one's own ends the wait of others: %q", code)
	}
	_, err = w.given("12345")
	wantError(t, err, provider.ErrNoCode)
	if code, final := isFinal(err); final {
		t.Errorf("a useless code of one's own ends the wait of others: %q", code)
	}

	first := w.whoAsks(w.plan("admin", provider.Options{}))
	m := w.newMinter()
	m.MFACode = w.device.FreshCode()
	m.Cache.Flight.Outcomes = provider.Outcomes{CodeGiven: true}
	second := w.whoWaits(m, w.plan("admin", provider.Options{}))
	first.answer <- ""
	wantError(t, <-first.err, provider.ErrCancelled)
	if err := <-second; err != nil {
		t.Errorf("with a code of its own: %v", err)
	}
}

func TestRestoreWithCode(t *testing.T) {
	for code, heeded := range map[string]bool{
		"cancelled": false, "interrupted": false, "no-code": false, "refused-code": false,
		"refused": true, "unreachable": true, "process": true, "of another version": true,
	} {
		if err := (provider.Outcomes{CodeGiven: true}).Restore(code); (err != nil) != heeded {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// What runs by itself and is of no use would be of no more use to the next.
func TestUselessProcessesAreFinal(t *testing.T) {
	for name, tt := range map[string]struct {
		config string
		run    func(*exec.Cmd) error
		class  error
		code   string
	}{
		"mfa_process without a code": {"mfa_process = x\n", prints("hello"), provider.ErrNoCode, "no-code"},
		"mfa_process that fails":     {"mfa_process = x\n", func(*exec.Cmd) error { return errors.New("broken") }, provider.ErrNoCode, "no-code"},
		"credential_process":         {"", prints("hello"), provider.ErrBadProcess, "process"},
	} {
		w := mfaRoles(t)
		w.config += "[profile foreign]\ncredential_process = x\n[profile code]\nrole_arn = " + roleARN("admin") + "\nsource_profile = default\nmfa_serial = " + w.device.Serial + "\n" + tt.config
		profile := "foreign"
		if tt.config != "" {
			profile = "code"
		}
		m := w.newMinter()
		m.Run = tt.run
		_, err := m.Credentials(t.Context(), w.plan(profile, provider.Options{}))
		wantError(t, err, tt.class)
		if code, final := isFinal(err); !final || code != tt.code {
			t.Errorf("%s: %q, %v", name, code, final)
		}
		wantError(t, (provider.Outcomes{}).Restore(tt.code), tt.class)
	}
}

func prints(text string) func(*exec.Cmd) error {
	return func(c *exec.Cmd) error {
		_, err := c.Stdout.Write([]byte(text))
		return err
	}
}

// Ctrl-C at the prompt declines it; being told to stop otherwise does not.
func TestInterruptedPrompts(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		final bool
	}{
		"Ctrl-C":  {fmt.Errorf("%w (%w)", provider.ErrCancelled, provider.ErrInterrupted), true},
		"stopped": {provider.ErrInterrupted, false},
	} {
		w := mfaRoles(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		m := w.newMinter()
		m.Codes = codeFunc(func(context.Context, provider.CodeRequest) (string, error) {
			cancel(tt.err)
			return "", tt.err
		})
		_, err := m.Credentials(ctx, w.plan("admin", provider.Options{}))
		wantError(t, err, provider.ErrInterrupted)
		if code, final := isFinal(err); final != tt.final {
			t.Errorf("%s: %q, %v", name, code, final)
		}
	}
}

// isFinal is what an error is for those who wait.
func isFinal(err error) (code string, ended bool) {
	code = provider.Outcomes{}.Final(err)
	return code, code != ""
}

package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"groat/session"
	"groat/vault/fault"
)

const maxCodeAttempts = 3 // a refused code is asked again twice

// codeOrigin says where a token code came from.
type codeOrigin string

const (
	codeGiven   codeOrigin = "--mfa-code"
	codeProcess codeOrigin = "mfa_process"
	codeSeed    codeOrigin = "the stored TOTP seed"
	codePrompt  codeOrigin = "the prompt"
)

// tokenCode is a code that no call has carried yet.
type tokenCode struct {
	digits string
	step   int64 // RFC 6238 time step of a code generated here, else 0
	origin codeOrigin
}

// withCode makes a call that carries a token code. The device is locked from
// before the question until AWS has answered, so that one person is asked one
// question at a time and no code goes out twice.
func (r *run) withCode(ctx context.Context, step *Step, send func(code string) (session.Credentials, error)) (creds session.Credentials, err error) {
	release, err := r.m.Cache.Flight.Ask(ctx, step.MFASerial)
	if err != nil {
		return session.Credentials{}, err
	}
	defer func() { release(deviceOutcome(err)) }()
	req := CodeRequest{Profile: r.plan.Profile, MFASerial: step.MFASerial, MFAProcess: step.MFAProcess, Attempt: 1}
	if last := r.plan.Steps[len(r.plan.Steps)-1]; last.Role != nil {
		req.RoleARN = last.Role.RoleARN
	}
	used := r.m.Cache.UsedCodes()
	var unanswered error // AWS's failure, for which another code was to be had
	for {
		code, err := r.m.freshCode(ctx, used, &req)
		if unanswered != nil && (errors.Is(err, errUselessCode) || errors.Is(err, errGaveUp)) {
			err = unanswered
		}
		if err != nil {
			return session.Credentials{}, asked(ctx, err)
		}
		creds, err := send(code.digits)
		if err == nil {
			return creds, nil
		}
		if code.origin == codeGiven && isAboutCode(err) {
			return session.Credentials{}, &ending{err: err, how: endingOwn}
		}
		var call *CallError
		if !errors.As(err, &call) {
			return session.Credentials{}, asked(ctx, err)
		}
		if call.neverTaken() {
			if ferr := used.Forget(ctx, step.MFASerial, code.digits, code.step); ferr != nil {
				return session.Credentials{}, ferr
			}
			return session.Credentials{}, asked(ctx, err)
		}
		reason := call.wantsNewCode()
		if reason == "" || !code.mayAskAgain(call) || req.Attempt >= maxCodeAttempts {
			return session.Credentials{}, asked(ctx, err)
		}
		r.m.debugf("%s", err)
		if errors.Is(err, ErrUnreachable) {
			unanswered = err
		}
		req.Reason = fmt.Sprintf("%s (tries left: %d)", reason, maxCodeAttempts-req.Attempt)
		req.Attempt++
	}
}

// mayAskAgain reports whether another code can be had from where this one
// came from. A generator whose code AWS refused would only repeat itself: its
// device or its clock is wrong.
func (c tokenCode) mayAskAgain(call *CallError) bool {
	switch c.origin {
	case codePrompt:
		return true
	case codeProcess, codeSeed:
		return errors.Is(call, ErrUnreachable)
	}
	return false
}

// neverTaken reports whether AWS certainly did not look at the code.
func (e *CallError) neverTaken() bool {
	return e.neverSent || isThrottling(e.Code) || e.Status == 429 || e.Status == 503
}

// wantsNewCode says why another code may help: the sent one was refused, or
// it may be spent although the call failed. "" = no code will help.
func (e *CallError) wantsNewCode() string {
	switch {
	case isRefusedCode(e):
		return "AWS refused the token code: it is wrong, too old or from another device"
	case errors.Is(e, ErrUnreachable) && !e.silent:
		return "AWS did not answer properly and may have used up that code"
	}
	return ""
}

// asked marks a failure as one that ends the attempt for all who wait, if
// somebody was, or could have been, asked. A caller that is being stopped
// speaks for itself alone, unless the person declined by stopping it (Ctrl-C
// at the prompt), and so does one that has nobody to ask.
func asked(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, errGaveUp):
		return err // nobody was being asked
	case errors.Is(err, ErrCancelled):
	case ctx.Err() != nil:
		return err
	case errors.Is(err, errUselessCode):
	case errors.Is(err, ErrNoCode):
		return err
	}
	return &ending{err: err, how: endingAsked}
}

// freshCode gets a code that this device has not taken yet.
func (m *Minter) freshCode(ctx context.Context, used *session.UsedCodes, req *CodeRequest) (tokenCode, error) {
	for repeats := 0; ; repeats++ {
		code, err := m.nextCode(ctx, *req)
		if err != nil {
			return tokenCode{}, err
		}
		if len(code.digits) != 6 || strings.Trim(code.digits, "0123456789") != "" {
			return tokenCode{}, code.useless(req, fmt.Sprintf("%s did not give six digits", code.origin))
		}
		fresh, err := used.Use(ctx, req.MFASerial, code.digits, code.step)
		if err != nil {
			return tokenCode{}, err
		}
		if fresh {
			return code, nil
		}
		switch {
		case code.origin == codeGiven:
			return tokenCode{}, noCode(req.MFASerial, "the code of --mfa-code was used before, and AWS takes each code once", "wait for the device's next code and run this again with it", ErrNoCode)
		case repeats+1 >= maxCodeAttempts, repeats > 0 && code.origin != codePrompt:
			return tokenCode{}, code.useless(req, fmt.Sprintf("%s gives codes that were used before", code.origin))
		case code.origin == codePrompt:
			req.Reason = "this token code was already used: wait for the next one"
		default:
			if err := m.waitForNextStep(ctx, code.origin); err != nil {
				return tokenCode{}, err
			}
		}
	}
}

// nextCode asks the first source that there is.
func (m *Minter) nextCode(ctx context.Context, req CodeRequest) (tokenCode, error) {
	if m.MFACode != "" {
		return tokenCode{digits: m.MFACode, origin: codeGiven}, nil
	}
	if req.MFAProcess != "" {
		digits, err := m.runMFAProcess(ctx, req)
		return tokenCode{digits: digits, origin: codeProcess}, err
	}
	if m.Seeds != nil {
		secret, ok, err := m.Seeds.Seed(ctx, req.MFASerial)
		if err != nil {
			return tokenCode{}, fmt.Errorf("could not read the TOTP seed of %s: %w", req.MFASerial, err)
		}
		if ok {
			return m.generate(secret, req.MFASerial)
		}
	}
	if m.Codes == nil {
		return tokenCode{}, fault.New(fmt.Sprintf("a token code of MFA device %s is needed, and there is no way to ask for it", req.MFASerial), "", ErrNoCode)
	}
	digits, err := m.Codes.TokenCode(ctx, req)
	return tokenCode{digits: digits, origin: codePrompt}, err
}

// generate makes the code of the current time step.
func (m *Minter) generate(seed, serial string) (tokenCode, error) {
	digits, step, err := TOTP(seed, m.now())
	if err != nil {
		return tokenCode{}, noCode(serial, "the stored TOTP seed is not base32", "store it again with `groat mfa seed`", errUselessCode)
	}
	return tokenCode{digits: digits, step: step, origin: codeSeed}, nil
}

// waitForNextStep sleeps until the device shows another code.
func (m *Minter) waitForNextStep(ctx context.Context, origin codeOrigin) error {
	left := UntilNextCode(m.now())
	m.warn(fmt.Sprintf("the current code of %s was used already, waiting %d s for the next", origin, int(left.Round(time.Second).Seconds())))
	if err := m.sleep(ctx, left); err != nil {
		return fault.New("gave up waiting for the next code", "", errors.Join(errGaveUp, err))
	}
	return nil
}

// sleep returns the context's cause when that ends first.
func (m *Minter) sleep(ctx context.Context, d time.Duration) error {
	if m.Wait != nil {
		return m.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

func (m *Minter) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// Kinds of ErrNoCode.
var (
	// errUselessCode: what was asked gave none that is good, and would not for
	// others either. A failing mfa_process counts as such.
	errUselessCode = fmt.Errorf("useless: %w", ErrNoCode)
	// errGaveUp: nobody was asked, the wait for a code's time ended.
	errGaveUp = fmt.Errorf("gave up: %w", ErrNoCode)
)

// noCode says why there is no code of a device.
func noCode(serial, text, remedy string, class error) error {
	return fault.New("MFA device "+serial+": "+text, remedy, class)
}

// useless says what is wrong with a code.
func (c tokenCode) useless(req *CodeRequest, text string) error {
	class := errUselessCode
	if c.origin == codeGiven {
		class = ErrNoCode
	}
	return noCode(req.MFASerial, text, "", class)
}

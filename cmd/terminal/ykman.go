package terminal

import (
	"context"
	"fmt"
	"groat/vault/fault"
	"strings"
)

// ykman takes the code from a YubiKey's OATH application. The account there
// is named by the MFA serial; YKMAN_OATH_CREDENTIAL_NAME names another one and
// YKMAN_OATH_DEVICE_SERIAL picks one key of several.
type ykman struct{ program }

func (u *UI) newYkman() (prompter, error) {
	p, err := u.newProgram("ykman")
	return ykman{p}, err
}

func (y ykman) ask(ctx context.Context, r request) ([]byte, error) {
	account := y.u.env("YKMAN_OATH_CREDENTIAL_NAME")
	for _, d := range r.Details {
		if account == "" && d.Name == SerialDetail {
			account = d.Value
		}
	}
	if account == "" {
		return nil, noTerminal("ykman needs an MFA serial")
	}
	var args []string
	if s := y.u.env("YKMAN_OATH_DEVICE_SERIAL"); s != "" {
		args = append(args, "--device", s)
	}
	args = append(args, "oath", "accounts", "code", "--single", "--", account)
	_, _ = fmt.Fprintln(y.u.opts.Stderr, "groat: reading the code from the YubiKey; touch it if it blinks")
	res, err := y.run(ctx, "", y.u.opts.Stderr, args...)
	if err != nil {
		return nil, err
	}
	if res.code != 0 {
		return nil, fault.New("ykman failed: "+firstOf(res.stderr, 200), "check `ykman oath accounts list`; the account must be called "+strings.TrimSpace(account), ErrNoTerminal)
	}
	return res.stdout, nil
}

package terminal

import (
	"fmt"
	"groat/vault/fault"
	"runtime"
	"strings"
)

// Drivers are the values of --prompt.
var Drivers = []string{"auto", "terminal", "osascript", "zenity", "kdialog", "pinentry", "wincredui", "ykman", "none"}

// prompters returns the ways to ask, best first; never an empty list
// without an error.
func (u *UI) prompters(k kind) ([]prompter, error) {
	if k == kindTerminalLine {
		p, err := u.terminalOnly()
		return []prompter{p}, err
	}
	if u.opts.NoInput {
		return nil, fault.New("--no-input forbids questions", "", ErrNoTerminal)
	}
	switch d := u.opts.Driver; d {
	case "none":
		return nil, fault.New("--prompt none forbids questions", "", ErrNoTerminal)
	case "auto":
		return u.auto(k)
	case "terminal":
		p, err := openDevice()
		return []prompter{p}, err
	case "ykman":
		if k != kindCode { // a security key knows no passphrase
			return u.auto(k)
		}
		fallthrough
	default:
		p, err := u.driver(d)
		if err != nil {
			return nil, fault.New(fmt.Sprintf("the prompt driver %s cannot be used: %v", d, err), "choose another way to ask with --prompt or GROAT_PROMPT", ErrNoTerminal)
		}
		return []prompter{p}, nil
	}
}

// terminalOnly is for questions that are never asked in a window.
func (u *UI) terminalOnly() (prompter, error) {
	switch {
	case u.opts.NoInput:
		return nil, fault.New("--no-input forbids questions", "", ErrNoTerminal)
	case u.opts.Driver == "none":
		return nil, fault.New("--prompt none forbids questions", "", ErrNoTerminal)
	}
	return openDevice()
}

// auto takes the terminal where there is one and this process is in its
// foreground, else every window that can open here. A peer's order that began
// with the windows left people with "signal: aborted" on bare servers.
// kindYesInWindow has the windows first.
func (u *UI) auto(k kind) ([]prompter, error) {
	p, err := openDevice()
	if err == nil && k != kindYesInWindow {
		return []prompter{p}, nil
	}
	if err != nil {
		u.opts.Debugf("no terminal to ask on: %v", err)
	}
	names, why := u.windows()
	var ps []prompter
	for _, n := range names {
		d, derr := u.driver(n)
		if derr != nil {
			u.opts.Debugf("prompt driver %s: %v", n, derr)
			continue
		}
		ps = append(ps, d)
	}
	if err == nil {
		ps = append(ps, p)
	}
	if len(ps) > 0 {
		return ps, nil
	}
	if why == "" {
		why = "none of " + strings.Join(names, ", ") + " is installed"
	}
	return nil, fault.New(err.Error()+", and "+why, "", ErrNoTerminal)
}

// windows names the GUI drivers for this machine in their order of
// preference, or says why no window can open.
func (u *UI) windows() (names []string, why string) {
	ssh := u.env("SSH_CONNECTION") != "" || u.env("SSH_TTY") != "" || u.env("SSH_CLIENT") != ""
	switch runtime.GOOS {
	case "darwin":
		if ssh {
			return nil, "a window would open on the remote machine's own screen"
		}
		return []string{"osascript", "pinentry"}, ""
	case "windows":
		if ssh {
			return nil, "a window would open on the remote machine's own screen"
		}
		return []string{"wincredui"}, ""
	}
	if err := u.display(ssh); err != nil {
		return nil, err.Error()
	}
	if strings.Contains(strings.ToUpper(u.env("XDG_CURRENT_DESKTOP")), "KDE") {
		return []string{"kdialog", "zenity", "pinentry"}, ""
	}
	return []string{"zenity", "kdialog", "pinentry"}, ""
}

// driver makes the named GUI driver, or says why it cannot work here.
func (u *UI) driver(name string) (prompter, error) {
	switch name {
	case "zenity":
		return u.newZenity()
	case "kdialog":
		return u.newKDialog()
	case "pinentry":
		return u.newPinentry()
	case "osascript":
		return u.newOsascript()
	case "wincredui":
		return newWinCredUI()
	case "ykman":
		return u.newYkman()
	}
	return nil, fmt.Errorf("it is unknown (write one of %s)", strings.Join(Drivers, ", "))
}

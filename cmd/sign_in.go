package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"groat/cmd/terminal"
	"groat/provider"
	"groat/provider/profile"
)

// personSignIn shows a person where to sign in to IAM Identity Center.
type personSignIn struct {
	a       *app
	profile string // asked for
}

var _ provider.SignIn = personSignIn{}

// LocalBrowser reports whether a browser would open on the screen in front of
// the person. Where there is none, the person must be at a terminal.
func (s personSignIn) LocalBrowser() (bool, error) {
	switch {
	case s.a.mayNotAsk():
		return false, s.nobody("asking is forbidden")
	case s.screen():
		return true, nil
	}
	if err := s.a.ui().CanConfirm(); err != nil {
		return false, s.nobody(err.Error())
	}
	return false, nil
}

// screen is false over SSH, where the browser would open on the remote
// machine, and without a display.
func (s personSignIn) screen() bool {
	a := s.a
	if a.getenv("SSH_CONNECTION") != "" || a.getenv("SSH_TTY") != "" {
		return false
	}
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return a.getenv("DISPLAY") != "" || a.getenv("WAYLAND_DISPLAY") != ""
}

// Show opens the browser where there is one, and says on the terminal what to
// compare or, failing that, what to open.
func (s personSignIn) Show(ctx context.Context, req provider.SignInRequest) error {
	a := s.a
	local := s.screen()
	lines := []string{fmt.Sprintf("groat: profile %s: sign in to IAM Identity Center (%s)", quote(req.Profile), req.StartURL)}
	if req.UserCode != "" {
		lines = append(lines, "  compare the code the page shows: "+req.UserCode)
	}
	if !local {
		lines = append(lines, "  open in a browser, here or on another device: "+req.URL)
	}
	told := a.ui().Tell(ctx, lines...)
	if errors.Is(told, terminal.ErrInterrupted) {
		return errors.Join(provider.ErrInterrupted, told)
	}
	if !local {
		if told != nil {
			return s.nobody(told.Error())
		}
		return nil
	}
	opened := openPrivately(ctx, a, req.URL)
	if opened == nil || ctx.Err() != nil {
		return opened
	}
	a.debugf("no browser: %v", opened)
	if told = a.ui().Tell(ctx, "  no browser could be opened; open on this machine: "+req.URL); told != nil {
		return s.nobody("no browser could be opened, and " + told.Error())
	}
	return nil
}

// nobody says what to run where somebody is.
func (s personSignIn) nobody(why string) error {
	return s.a.needsPerson(fmt.Sprintf("profile %s needs a sign-in to IAM Identity Center: %s", quote(s.profile), why), s.profile)
}

// mayNotAsk reports whether the user forbade prompts of any kind.
func (a *app) mayNotAsk() bool { return a.cli.NoInput || a.cli.Prompt == "none" }

// machineFor names this machine for plans whose credentials are the
// machine's own.
func machineFor(p *provider.Plan) string {
	if k := p.Source.Kind; k != profile.SourceEC2 && k != profile.SourceECS {
		return ""
	}
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

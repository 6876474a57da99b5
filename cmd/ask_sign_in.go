package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"groat/cmd/loopback"
	"groat/cmd/terminal"
	"groat/provider"
	"groat/vault/files"
)

// personSignIn shows a person where to sign in.
type personSignIn struct {
	*prompts
	// remote: the browser is on another machine, whatever is to be seen here.
	remote bool
}

var _ provider.SignIn = personSignIn{}

// LocalBrowser reports whether a browser would open on the screen in front of
// the person. Where there is none, the person must be at a terminal.
func (s personSignIn) LocalBrowser(req provider.SignInRequest) (bool, error) {
	switch {
	case s.mayNotAsk():
		return false, s.nobody(req, "asking is forbidden")
	case s.tooLate():
		return false, s.nobody(req, terminal.ErrTimeout.Error())
	case s.screen():
		return true, nil
	}
	if err := s.ui().CanConfirm(); err != nil {
		return false, s.nobody(req, err.Error())
	}
	return false, nil
}

// Callback opens a page that only this user's browser reaches.
func (personSignIn) Callback(ctx context.Context, path, state string) (*provider.Callback, error) {
	c, err := loopback.OpenCallback(ctx, path, state)
	if err != nil {
		return nil, err
	}
	return &provider.Callback{URL: c.URL, Answer: c.Answer, Close: c.Close}, nil
}

// screen is false over SSH, where the browser would open on the remote
// machine, and without a display.
func (s personSignIn) screen() bool {
	if s.remote || s.getenv("SSH_CONNECTION") != "" || s.getenv("SSH_TTY") != "" {
		return false
	}
	switch runtime.GOOS {
	case "darwin", "windows":
		return true
	}
	return s.getenv("DISPLAY") != "" || s.getenv("WAYLAND_DISPLAY") != ""
}

// title says what is signed in to.
func (s personSignIn) title(req provider.SignInRequest) string {
	title := fmt.Sprintf("groat: profile %s: sign in to %s", quote(req.Profile), req.Service)
	if req.As != "" {
		title += " (" + req.As + ")"
	}
	if req.Reason != "" {
		title += ": " + req.Reason
	}
	return title
}

// Show opens the browser where there is one, and says on the terminal what to
// compare or, failing that, what to open.
func (s personSignIn) Show(ctx context.Context, req provider.SignInRequest) error {
	local := s.screen()
	lines := []string{s.title(req)}
	if req.UserCode != "" {
		lines = append(lines, "  compare the code the page shows: "+req.UserCode)
	}
	if !local {
		lines = append(lines, "  open in a browser, here or on another device: "+req.URL)
	}
	told := s.ui().Tell(ctx, lines...)
	if errors.Is(told, terminal.ErrInterrupted) {
		return errors.Join(provider.ErrInterrupted, told)
	}
	if !local {
		if told != nil {
			return s.nobody(req, told.Error())
		}
		return nil
	}
	opened := openPrivately(ctx, s.environment, s.output, req.URL)
	if opened == nil || ctx.Err() != nil {
		return opened
	}
	s.debugf("no browser: %v", opened)
	if told = s.ui().Tell(ctx, "  no browser could be opened; open on this machine: "+req.URL); told != nil {
		return s.nobody(req, "no browser could be opened, and "+told.Error())
	}
	return nil
}

// Paste asks for the code that a browser shows on whatever machine it is.
func (s personSignIn) Paste(ctx context.Context, req provider.SignInRequest) (string, error) {
	text, err := s.ui().Line(ctx, terminal.Question{
		Title:   s.title(req),
		Details: []terminal.Detail{{Name: "open in any browser", Value: req.URL}},
		Prompt:  "code that the page shows",
		Check: func(answer []byte) string {
			if code, _ := provider.PastedCode(string(answer)); code == "" {
				return "that is not the whole code that the page shows"
			}
			return ""
		},
	})
	if err == nil {
		return text, nil
	}
	if ended := endedQuestion(err); ended != nil {
		return "", ended
	}
	return "", s.nobody(req, err.Error())
}

// nobody says what to run where somebody is.
func (s personSignIn) nobody(req provider.SignInRequest, why string) error {
	what := fmt.Sprintf("profile %s needs a sign-in to %s", quote(req.Profile), req.Service)
	if req.Reason != "" {
		what += " (" + req.Reason + ")"
	}
	vault := slices.DeleteFunc(slices.Clone(s.given), func(g given) bool { return g.mints })
	return s.inTerminal(what+": "+why, "groat signin "+files.Word(req.Profile), vault, "")
}

package cmd

import (
	"context"

	"groat/provider"
)

// turn is one profile's right to ask. Nobody is asked two things at once, nor
// again and again: who declined once has declined.
type turn struct {
	f     *parallel
	taken bool
}

func (t *turn) begin(ctx context.Context) error {
	if !t.taken {
		t.f.asking.Lock()
		t.taken = true
	}
	if t.f.over(ctx) != nil {
		return errNotRun
	}
	return nil
}

func (t *turn) end() {
	if t.taken {
		t.f.a.prompts.release()
		t.f.asking.Unlock()
		t.taken = false
	}
}

// turnCodes asks for token codes in turn.
type turnCodes struct {
	turn  *turn
	codes provider.CodeSource
}

// TokenCode holds the turn for the question.
func (c turnCodes) TokenCode(ctx context.Context, req provider.CodeRequest) (string, error) {
	defer c.turn.end()
	if err := c.turn.begin(ctx); err != nil {
		return "", err
	}
	code, err := c.codes.TokenCode(ctx, req)
	return code, c.turn.f.stopIfDeclined(err)
}

// turnSignIn shows where to sign in, in turn.
type turnSignIn struct {
	provider.SignIn
	turn *turn
}

// Show holds the turn until the profile is done with: the person is busy for
// longer than it takes to show a page.
func (s turnSignIn) Show(ctx context.Context, req provider.SignInRequest) error {
	if err := s.turn.begin(ctx); err != nil {
		return err
	}
	return s.turn.f.stopIfDeclined(s.SignIn.Show(ctx, req))
}

package terminal

import (
	"context"
	"strings"
)

// teller is a prompter that can also show something without asking.
type teller interface {
	tell(ctx context.Context, text string) error
}

// Tell shows lines on the terminal device, whatever is redirected, and waits
// for no answer. It is an ErrNoTerminal where there is no terminal, or where
// asking is forbidden: what is told here always wants somebody to act.
func (u *UI) Tell(ctx context.Context, lines ...string) error {
	ctx, done, err := u.bounded(ctx)
	if err != nil {
		return err
	}
	defer done()
	p, err := u.terminalOnly()
	if err != nil {
		return err
	}
	defer p.close()
	t, ok := p.(teller)
	if !ok {
		return noTerminal("%s only asks", p.name())
	}
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(Sanitize(line) + "\n")
	}
	return t.tell(ctx, b.String())
}

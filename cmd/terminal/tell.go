package terminal

import (
	"context"
	"strings"
	"time"
)

// teller is a prompter that can also show something without asking.
type teller interface {
	tell(ctx context.Context, text string) error
}

// Tell shows lines on the terminal device, whatever is redirected, and waits
// for no answer. It is an ErrNoTerminal where there is no terminal, or where
// asking is forbidden: what is told here always wants somebody to act.
func (u *UI) Tell(ctx context.Context, lines ...string) error {
	for i, line := range lines {
		lines[i] = Sanitize(line)
	}
	return u.Draw(ctx, lines...)
}

// Draw is Tell for lines of our own making, which may be coloured.
func (u *UI) Draw(ctx context.Context, lines ...string) error {
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
	return t.tell(ctx, strings.Join(lines, "\n")+"\n")
}

// noticer is a prompter that can show a notice.
type noticer interface {
	notice(ctx context.Context, text string) error
}

// noticeLimit bounds the writing of a notice to a terminal that is stopped by
// Ctrl-S.
const noticeLimit = time.Second

// Notice shows a line on the terminal device that holds for a while, and
// returns what is to be called when it does no more. Of all processes that
// have one on the same terminal one shows its own, and none does where a
// question stands: it would push that off the screen (where terminals can be
// locked; elsewhere each shows its line). An error is an ErrNoTerminal.
func (u *UI) Notice(line string) (over func(), err error) {
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	default:
		return func() {}, nil // a question of our own stands
	}
	p, err := u.terminalOnly()
	if err != nil {
		return nil, err
	}
	n, ok := p.(noticer)
	if !ok {
		p.close()
		return nil, noTerminal("%s only asks", p.name())
	}
	ctx, cancel := context.WithTimeout(context.Background(), noticeLimit)
	defer cancel()
	if err := n.notice(ctx, Sanitize(line)+"\n"); err != nil {
		p.close()
		return nil, err
	}
	return p.close, nil
}

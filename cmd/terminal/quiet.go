package terminal

// keeper is a prompter that keeps the terminal quiet after a secret: no echo
// until close, since whoever types on while the answer is being checked may
// type a secret as well.
type keeper interface {
	prompter
	quiet() bool
}

// resume goes on with the terminal that the question before has kept quiet.
func (u *UI) resume(p prompter) prompter {
	if _, ok := p.(keeper); !ok || u.held == nil {
		return p
	}
	p.close()
	p, u.held = u.held, nil
	return p
}

// rest closes prompters, but for one that keeps the terminal quiet.
func (u *UI) rest(ps []prompter) {
	for _, p := range ps {
		if k, ok := p.(keeper); ok && k.quiet() {
			u.held = p
		} else {
			p.close()
		}
	}
}

// Release gives the terminal back after the last answer: the echo, which is
// off from the first secret on, comes back, and what was typed unseen is
// dropped. It is called when the answer has been used, and before another
// program gets the terminal. Where a question stands it does nothing: whoever
// asks calls it later.
func (u *UI) Release() {
	select {
	case u.turn <- struct{}{}:
		defer func() { <-u.turn }()
	default:
		return
	}
	if u.held != nil {
		u.held.close()
		u.held = nil
	}
}

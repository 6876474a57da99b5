package cmd

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"groat/cmd/terminal"
	"groat/session/flight"
	"groat/vault"
	"groat/vault/fault"
)

// errPassphraseCommand is the failure of --file-passphrase-command.
var errPassphraseCommand = errors.New("the passphrase command failed")

// turnPatience is how long who cannot ask waits for somebody else's answer.
const turnPatience = 30 * time.Second

// askAlone is the file vault's AskAlone. Those who would ask a person take
// turns, as they do for token codes: a declined or thrice mistaken question
// ends for all who were waiting for it; so do those who would run the same
// command. `groat unlock` elsewhere ends the wait as well. Who was given the
// answer waits for others of that kind, who hand over the vault key, and
// is never told how they fared.
func (p *passphrases) askAlone(ctx context.Context, known func() bool) (func(error), error) {
	p.heedSignals()
	turn := &flight.Group{Dir: filepath.Join(p.paths.fileDir(p.flags), "locks"), Debugf: p.debugf, Arrived: known}
	wait := ctx
	way, command := p.way()
	name := "passphrase " + string(way)
	if way == vault.FromPrompt || way == vault.FromCommand {
		name += command
		turn.Outcomes = passphraseOutcomes{}
		turn.Waiting = func(holder string, _ bool) func() { return p.waiting(holder, "which is opening the vault") }
	}
	if way == vault.FromPrompt {
		if err := p.ui().CanAsk(); err != nil {
			var cancel func()
			wait, cancel = context.WithTimeoutCause(ctx, turnPatience, err)
			defer cancel()
		}
	}
	release, err := turn.Ask(wait, name)
	if err != nil && way == vault.FromPrompt && (errors.Is(err, terminal.ErrTimeout) || errors.Is(err, terminal.ErrNoTerminal)) {
		return nil, askedInVain(lockedWhat, unlockRemedy, err)
	}
	if err != nil && errors.Is(err, terminal.ErrTimeout) { // a passphrase was given: no hint asks for another
		return nil, fault.New(lockedWhat+": other processes took too long to open it: "+err.Error(),
			"start fewer at once, or set GROAT_UNLOCK_FOR=1h so that one opens it for all", vault.ErrLocked)
	}
	if err != nil {
		return nil, err
	}
	return func(err error) {
		p.release()
		if ctx.Err() != nil && !declined(err) {
			err = nil // being stopped concerns nobody else
		}
		release(err)
	}, nil
}

// passphraseOutcomes is what those who would ask for the same passphrase learn
// from each other.
type passphraseOutcomes struct{}

// Final names the failures that end the wait of all.
func (passphraseOutcomes) Final(err error) string {
	switch {
	case errors.Is(err, errPassphraseCommand):
		return "command"
	case declined(err):
		return "locked"
	case errors.Is(err, vault.ErrPassphrase):
		return "passphrase"
	}
	return ""
}

// Restore turns another process's failure into one of ours.
func (passphraseOutcomes) Restore(code string) error {
	words, class, hint := "the passphrase was not given", vault.ErrLocked, unlockRemedy+", or set "+passphraseVariable
	switch code {
	case "command":
		words, hint = errPassphraseCommand.Error(), ""
	case "passphrase":
		words, class, hint = vault.ErrPassphrase.Error(), vault.ErrPassphrase, ""
	}
	return fault.New("in another process: "+words, hint, class)
}

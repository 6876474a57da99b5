package cmd

import (
	"errors"
	"os"
	"sync"
	"time"

	"groat/cmd/child"
	"groat/cmd/terminal"
)

// SDKs kill their helper 60 s after its start. Asking ends before, early
// enough for the calls that follow an answer, and so does waiting for
// another process that asks.
const (
	credentialProcessDeadline = 55 * time.Second
	credentialProcessEnd      = 58 * time.Second
)

// prompts is how this process asks people, and for how long.
type prompts struct {
	environment
	*output
	*clock
	flags    *globals
	settings *settings
	given    []given // flags of the command line that a remedy must repeat
	started  time.Time
	deadline time.Duration // for asking, since started; 0 = none
	// heedSignals must be called before anything begins that a signal must
	// not simply cut off: waiting, asking, calling AWS.
	heedSignals func()

	mu     sync.Mutex // guards the one below
	driver *terminal.UI
}

// ui asks people.
func (p *prompts) ui() *terminal.UI {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.driver == nil {
		left := p.deadline
		if left != 0 {
			left = max(left-time.Since(p.started), time.Nanosecond)
		}
		p.driver = terminal.New(terminal.Options{
			Driver:   p.flags.Prompt,
			NoInput:  p.flags.NoInput,
			Environ:  child.Dialog(p.environ),
			Deadline: left,
			Stderr:   p.streams.Err,
			Debugf:   p.debugf,
		})
	}
	return p.driver
}

// release ends a run of questions. A question that is asked later
// begins the next.
func (p *prompts) release() {
	p.mu.Lock()
	ui := p.driver
	p.mu.Unlock()
	if ui != nil {
		ui.Release()
	}
}

// until is when asking ends; zero: never.
func (p *prompts) until() time.Time {
	if p.deadline == 0 {
		return time.Time{}
	}
	return p.started.Add(p.deadline)
}

// mayNotAsk reports whether the user forbade prompts of any kind.
func (p *prompts) mayNotAsk() bool { return p.flags.NoInput || p.flags.Prompt == "none" }

// declined reports that a person would not answer: Ctrl-D, Esc, a closed
// window, Ctrl-C at the prompt.
func declined(err error) bool {
	var s *terminal.SignalError
	return errors.Is(err, terminal.ErrCancelled) || errors.As(err, &s) && s.Signal == os.Interrupt
}

// answerTime is what a person needs at least to see a question and answer it.
const answerTime = 5 * time.Second

// tooLate reports that a question would be gone before anybody could answer.
// Those who waited in vain for the answer to another's would else show theirs
// for a moment, one after the other.
func (p *prompts) tooLate() bool {
	return p.deadline > answerTime && p.deadline-time.Since(p.started) < answerTime
}

// waitingFor says whom this process waits for to mint for a plan.
func (p *prompts) waitingFor(plan *planned) func(holder string, asking bool) (over func()) {
	return func(holder string, asking bool) func() {
		switch {
		case !asking:
			return p.waiting(holder, "which is getting the same credentials")
		case plan.SignsIn():
			return p.waiting(holder, "which is signing in")
		}
		return p.waiting(holder, "which is asking for a token code")
	}
}

// waiting says whom this process waits for. SDKs keep stderr to themselves,
// so that it is said on the terminal device, unless the question that is
// waited for stands there; and on stderr, unless that is a terminal, too.
func (p *prompts) waiting(holder, doing string) (over func()) {
	line := "waiting for " + holder + ", " + doing
	over, err := p.ui().Notice("groat: " + line)
	if err != nil || !isTerminal(p.streams.Err) {
		p.say(line)
	}
	return over
}

package provider

import (
	"context"
	"errors"
	"fmt"

	"groat/session/flight"
	"groat/vault/fault"
)

// ending marks a failure by what it means to those who wait for the attempt.
type ending struct {
	err error
	how string // one of the following, or the code of a failure that another process had
}

const (
	// endingAsked: it came after somebody was asked; those who waited must not
	// be asked the same again.
	endingAsked = "asked"
	// endingOwn: it is this process's own: nobody was asked, and the code that
	// it was given is nobody else's.
	endingOwn = "own"
)

func (e *ending) Error() string { return e.err.Error() }
func (e *ending) Unwrap() error { return e.err }

// howItEnded is the outermost mark; "" where there is none.
func howItEnded(err error) string {
	if e := (*ending)(nil); errors.As(err, &e) {
		return e.how
	}
	return ""
}

// The codes under which a failure passes from the process that was asked to
// those that waited for it.
var finalClasses = []struct {
	code  string
	err   error
	words string // for those who waited
}{
	{"cancelled", ErrCancelled, ErrCancelled.Error()},
	{"interrupted", ErrInterrupted, ErrCancelled.Error()},
	{refusedCode, ErrRefused, "AWS refused the token code"},
	{"refused", ErrRefused, "the call was refused by AWS"},
	{"identity", ErrIdentity, ErrIdentity.Error()},
	{"no-code", ErrNoCode, "no token code was given"},
	{"unreachable", ErrUnreachable, ErrUnreachable.Error()},
	{"process", ErrBadProcess, "the " + ErrBadProcess.Error()},
}

// refusedCode tells codes that AWS would not take from calls that it refused.
const refusedCode = "refused-code"

// Outcomes is what passes between processes that want the same.
type Outcomes struct {
	// CodeGiven: this process was given a code of its own, so that a question
	// that ended badly elsewhere was none that it waited for.
	CodeGiven bool
}

var _ flight.Outcomes = Outcomes{}

// Final names the failures that end the wait of others: a prompt that was cancelled, a code
// that was refused for good, a call that failed although a code was given end
// the attempt for every process that waits for it. So do a refusal, an
// unreachable AWS and a failing credential_process without any question: all
// who wait would do the very same, one after the other, each up to its time
// limit. Having nobody to ask is not final: one of those who wait may have a
// terminal. Nor is being stopped oneself, nor a refused code of one's own.
func (Outcomes) Final(err error) (code string) {
	var call *CallError
	switch how := howItEnded(err); {
	case how == endingOwn, errors.As(err, &call) && call.own:
		return ""
	case how == endingAsked:
	case how != "":
		return how
	case errors.Is(err, context.Canceled), errors.Is(err, ErrInterrupted):
		return ""
	case !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrBadProcess):
		return ""
	}
	for _, c := range finalClasses {
		if c.code == refusedCode && !isAboutCode(err) {
			continue
		}
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return ""
}

// isAboutCode reports whether AWS refused the token code rather than the call.
func isAboutCode(err error) bool {
	var call *CallError
	return errors.As(err, &call) && isRefusedCode(call)
}

// deviceOutcome is what a failed call says to those who wait for its device
// with calls of their own: that somebody was asked in vain. That AWS refused
// this very call, code or not, is no reason not to make theirs.
func deviceOutcome(err error) error {
	if howItEnded(err) != endingAsked || errors.Is(err, ErrRefused) && !isAboutCode(err) {
		return nil
	}
	return err
}

// Restore is another process's final failure as an error of the same class. An
// interruption there is a cancelled prompt here.
func (o Outcomes) Restore(code string) error {
	switch code {
	case "cancelled", "interrupted", "no-code", refusedCode:
		if o.CodeGiven {
			return nil
		}
	}
	for _, c := range finalClasses {
		if c.code != code {
			continue
		}
		class := c.err
		if errors.Is(class, ErrInterrupted) {
			class = ErrCancelled
		}
		remedy := "see what the other process says, or run this again to see it here"
		if errors.Is(class, ErrCancelled) || errors.Is(class, ErrNoCode) {
			remedy = "" // there is nothing more to see
		}
		return &ending{fault.New("in another process: "+c.words, remedy, class), code}
	}
	return fmt.Errorf("%w: %s", flight.ErrEnded, code)
}

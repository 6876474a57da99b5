package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"groat/vault/fault"
	"strings"
	"unicode"
)

// Question is what a person is asked. All texts are sanitised before they
// are shown: they may come from a config file or from AWS.
type Question struct {
	Title   string   // "Token code for the MFA device", one line
	Details []Detail // who asks and for what, in this order
	Reason  string   // why it is asked again; "" at first
	Prompt  string   // what is wanted, before the answer; a default per kind
	Default string   // Line only: the answer to an empty line
	// Check says why an answer will not do, "" if it will. It is then asked
	// again. It never repeats the answer, which may be a secret.
	Check func(answer []byte) string
	// Again: this goes on with the question before it, whose title and details
	// stand on the terminal already.
	Again bool
	// Pasted: the answer may have been pasted together with the one before.
	// Input that waits is kept; before any other question it is dropped.
	Pasted bool
}

// Detail is one line of a question: "profile  admin". An empty Value hides it.
type Detail struct{ Name, Value string }

type kind int

const (
	kindCode kind = iota
	kindSecret
	kindLine
	kindTerminalLine // a line that is never asked for in a window
	kindYes          // yes or no
	kindYesInWindow  // the same, on the terminal only where no window can open
)

// yesAnswer is what a window's button for yes means.
const yesAnswer = "y"

// asksYes reports a question that a window asks by two buttons.
func (r request) asksYes() bool { return r.kind == kindYes || r.kind == kindYesInWindow }

// request is a Question made safe to show, with how it is to be answered.
type request struct {
	Question
	kind kind
}

// prompter is one way to ask: the terminal device or a GUI driver.
type prompter interface {
	name() string
	// ask returns the answer as typed. Errors are the package's; any other
	// error means that the prompter itself does not work.
	ask(ctx context.Context, r request) ([]byte, error)
	close()
}

// maxTries bounds how often an answer that will not do is asked again: a
// terminal fed by a program must not loop for ever.
const maxTries = 5

// Code asks for a token code of six digits; what is typed is shown. Blanks
// are removed, and anything but six digits is asked again, so that a slip of
// the finger costs no attempt at AWS.
func (u *UI) Code(ctx context.Context, q Question) (string, error) {
	if q.Prompt == "" {
		q.Prompt = "token code"
	}
	q.Check = func(answer []byte) string {
		if isCode(stripSpaces(string(answer))) {
			return ""
		}
		return "a token code is six digits"
	}
	b, err := u.ask(ctx, q, kindCode)
	return stripSpaces(string(b)), err
}

// Secret asks for a passphrase or a key; what is typed is not shown. The
// caller wipes the bytes.
func (u *UI) Secret(ctx context.Context, q Question) ([]byte, error) {
	if q.Prompt == "" {
		q.Prompt = "passphrase"
	}
	return u.ask(ctx, q, kindSecret)
}

// Line asks for one line, shown as it is typed and trimmed. An empty answer
// is the default, if there is one.
func (u *UI) Line(ctx context.Context, q Question) (string, error) {
	b, err := u.ask(ctx, q, kindLine)
	if err == nil && len(b) == 0 {
		return q.Default, nil
	}
	return string(b), err
}

// Confirm asks yes or no on the terminal; anything but y or yes is no. It
// never opens a window: who confirms a deletion sits at a terminal, and
// scripts have their flags.
func (u *UI) Confirm(ctx context.Context, q Question) (bool, error) {
	if q.Prompt == "" {
		q.Prompt = "continue?"
	}
	return u.yes(ctx, q, kindTerminalLine)
}

// Approve asks yes or no like any other question: on the terminal, else in a
// window. windowFirst is for a caller that may type into its own terminal.
func (u *UI) Approve(ctx context.Context, q Question, windowFirst bool) (bool, error) {
	if windowFirst {
		return u.yes(ctx, q, kindYesInWindow)
	}
	return u.yes(ctx, q, kindYes)
}

func (u *UI) yes(ctx context.Context, q Question, k kind) (bool, error) {
	q.Default = "y/N"
	b, err := u.ask(ctx, q, k)
	if errors.Is(err, ErrCancelled) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	switch strings.ToLower(string(b)) {
	case yesAnswer, "yes":
		return true, nil
	}
	return false, nil
}

// ask asks until there is an answer that will do.
func (u *UI) ask(ctx context.Context, q Question, k kind) ([]byte, error) {
	ctx, done, err := u.bounded(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	for range maxTries {
		b, err := u.askOnce(ctx, request{Question: clean(q), kind: k})
		if err != nil {
			return nil, err
		}
		if k != kindSecret {
			b = bytes.TrimSpace(b)
		}
		if q.Reason = q.wrong(b); q.Reason == "" {
			return b, nil
		}
		if k == kindCode && u.Automatic() {
			return nil, noTerminal("ykman did not print a code: %s", q.Reason)
		}
		q.Again, q.Pasted = true, false
	}
	return nil, fmt.Errorf("%w after %d answers: %s", ErrCancelled, maxTries, q.Reason)
}

// wrong says why an answer will not do; "" if it will. Enter alone is a slip
// of the finger: who does not want to answer has Ctrl-D, Esc and Ctrl-C.
func (q Question) wrong(answer []byte) string {
	switch {
	case len(answer) == 0 && q.Default != "":
		return ""
	case len(answer) == 0:
		what, _, _ := strings.Cut(q.Prompt, " (")
		return "nothing was typed: the " + what + " is needed"
	case q.Check != nil:
		return q.Check(answer)
	}
	return ""
}

// askOnce tries each prompter that can work until one of them gives an answer
// or says that the person did not want to.
func (u *UI) askOnce(ctx context.Context, r request) ([]byte, error) {
	ps, err := u.prompters(r.kind)
	if err != nil {
		return nil, err
	}
	ps[0] = u.resume(ps[0])
	defer u.rest(ps)
	var broken []error
	for _, p := range ps {
		u.opts.Debugf("asking with %s", p.name())
		b, err := p.ask(ctx, r)
		if err != nil && ctx.Err() != nil && !errors.Is(err, ErrInterrupted) {
			err = ended(ctx)
		}
		if err == nil || final(err) || ctx.Err() != nil {
			return bytes.TrimRight(b, "\r\n"), err
		}
		u.opts.Debugf("prompt driver %s does not work: %v", p.name(), err)
		broken = append(broken, fmt.Errorf("%s: %w", p.name(), err))
	}
	return nil, fault.New(errors.Join(broken...).Error(), "choose another way to ask with --prompt or GROAT_PROMPT", ErrNoTerminal)
}

// final reports that no other prompter is to be tried after err.
func final(err error) bool {
	for _, e := range []error{ErrNoTerminal, ErrCancelled, ErrInterrupted, ErrTimeout, context.Canceled} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func clean(q Question) Question {
	q.Title, q.Reason, q.Prompt, q.Default = Sanitize(q.Title), Sanitize(q.Reason), Sanitize(q.Prompt), Sanitize(q.Default)
	var ds []Detail
	for _, d := range q.Details {
		if v := Sanitize(d.Value); v != "" {
			ds = append(ds, Detail{Sanitize(d.Name), v})
		}
	}
	q.Details = ds
	return q
}

// text is the question as plain lines, without the prompt.
func (r request) text() string {
	var b strings.Builder
	width := 0
	for _, d := range r.Details {
		width = max(width, len(d.Name))
	}
	if r.Reason != "" {
		b.WriteString(r.Reason + "\n")
	}
	if r.Title != "" {
		b.WriteString(r.Title + "\n")
	}
	for _, d := range r.Details {
		fmt.Fprintf(&b, "  %-*s  %s\n", width, d.Name, d.Value)
	}
	return b.String()
}

func stripSpaces(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Cc) {
			return -1 // a code copied from a web page or an app brings such blanks
		}
		return r
	}, s)
}

func isCode(s string) bool {
	return len(s) == 6 && strings.Trim(s, "0123456789") == ""
}

func closeAll(ps []prompter) {
	for _, p := range ps {
		p.close()
	}
}

// escaped reports an Esc key before Enter. Arrow keys send sequences and are
// no wish to stop.
func escaped(line []byte) bool {
	return len(line) > 0 && line[len(line)-1] == 0x1b
}

// screenText is the question as the terminal shows it: what stands there
// already is not said again.
func screenText(r request) string {
	if r.Again {
		r.Title, r.Details = "", nil
	}
	prompt := r.Prompt
	if r.Default != "" {
		prompt += " [" + r.Default + "]"
	}
	return r.text() + prompt + ": "
}

// SerialDetail is the name of the detail that holds the MFA serial; ykman
// finds its account by it.
const SerialDetail = "serial"

package terminal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"runtime"
	"strconv"
	"strings"

	"groat/vault/files"
)

// pinentry is GnuPG's family of dialog programs; all flavours speak the
// Assuan protocol on their standard streams (pinentry.info, "Protocol").
type pinentry struct{ program }

func (u *UI) newPinentry() (prompter, error) {
	p, err := u.newProgram("pinentry")
	if err != nil && runtime.GOOS == "darwin" {
		p, err = u.newProgram("pinentry-mac")
	}
	return pinentry{p}, err
}

// pinentryText escapes what Assuan wants escaped. Angle brackets are
// replaced: some flavours guess from the text whether it is markup and have
// no way to be told that it is not.
var pinentryText = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", "<", "‹", ">", "›")

// pinentryPrompt also keeps an underscore from becoming a mnemonic.
var pinentryPrompt = strings.NewReplacer("_", "__")

func (p pinentry) ask(ctx context.Context, r request) ([]byte, error) {
	cmd := p.command(ctx)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errs := files.Bounded{Max: 4 << 10}
	cmd.Stderr = &errs
	answer, err := p.talk(ctx, r, cmd, in, out)
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	if err != nil && !final(err) && errs.String() != "" {
		p.u.opts.Debugf("pinentry wrote: %s", errs.String())
	}
	return answer, err
}

// talk starts the program, holds the conversation and reaps it, on one
// thread (see runLocked).
func (p pinentry) talk(ctx context.Context, r request, cmd *exec.Cmd, in io.WriteCloser, out io.Reader) ([]byte, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("could not run pinentry: %w", err)
	}
	a := &assuan{w: in, r: bufio.NewReaderSize(io.LimitReader(out, 64<<10), 4096)}
	answer, err := p.converse(ctx, a, r)
	_, _ = io.WriteString(in, "BYE\n")
	_ = in.Close()
	_ = cmd.Wait()
	return answer, err
}

func (p pinentry) converse(ctx context.Context, a *assuan, r request) ([]byte, error) {
	if _, err := a.response(); err != nil { // the greeting
		return nil, err
	}
	// Options that a flavour does not know are refused with an error that
	// means nothing.
	for _, o := range []string{"no-grab", "lc-ctype=" + p.locale()} {
		if _, err := a.send("OPTION " + o); err != nil && a.broken {
			return nil, err
		}
	}
	if s := secondsLeft(ctx); s > 0 {
		if _, err := a.send("SETTIMEOUT " + strconv.Itoa(s)); err != nil && a.broken {
			return nil, err
		}
	}
	reason := r.Reason
	r.Reason = ""
	lines := [][2]string{{"SETTITLE", "groat"}, {"SETDESC", strings.TrimRight(r.text(), "\n")}, {"SETPROMPT", pinentryPrompt.Replace(r.Prompt) + ":"}}
	if reason != "" {
		lines = append(lines, [2]string{"SETERROR", reason})
	}
	for _, l := range lines {
		if _, err := a.send(l[0] + " " + assuanText(l[1])); err != nil {
			return nil, err
		}
	}
	if r.asksYes() {
		for _, l := range [][2]string{{"SETOK", "_Yes"}, {"SETCANCEL", "_No"}} {
			if _, err := a.send(l[0] + " " + l[1]); err != nil {
				return nil, err
			}
		}
		if _, err := a.send("CONFIRM"); err != nil {
			return nil, err
		}
		return []byte(yesAnswer), nil
	}
	return a.send("GETPIN")
}

func (p pinentry) locale() string {
	for _, n := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := p.u.env(n); v != "" {
			return assuanText(v)
		}
	}
	return "C.UTF-8"
}

// assuanText fits a text into Assuan's lines of at most 1,000 bytes.
func assuanText(s string) string {
	for n := 950; ; n -= 50 {
		if t := pinentryText.Replace(firstOf(s, n)); len(t) <= 960 {
			return t
		}
	}
}

// assuan is the client's side of the protocol.
type assuan struct {
	w      io.Writer
	r      *bufio.Reader
	broken bool // the connection itself failed
}

func (a *assuan) send(line string) ([]byte, error) {
	if _, err := io.WriteString(a.w, line+"\n"); err != nil {
		a.broken = true
		return nil, fmt.Errorf("pinentry ended before it answered: %w", err)
	}
	return a.response()
}

// response reads up to OK or ERR and returns the data in between.
func (a *assuan) response() ([]byte, error) {
	var data []byte
	for {
		line, err := a.r.ReadString('\n')
		if err != nil {
			a.broken = true
			return nil, fmt.Errorf("pinentry ended before it answered: %w", err)
		}
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
		switch word {
		case "OK":
			return data, nil
		case "D":
			s, err := url.PathUnescape(rest)
			if err != nil {
				a.broken = true
				return nil, fmt.Errorf("the answer of pinentry cannot be read")
			}
			data = append(data, s...)
		case "ERR":
			return nil, assuanError(rest)
		case "S", "#", "":
		default:
			a.broken = true
			return nil, fmt.Errorf("pinentry does not speak its protocol")
		}
	}
}

// assuanError reads libgpg-error's number: the code is in the low 16 bits,
// the source above them.
func assuanError(s string) error {
	num, text, _ := strings.Cut(s, " ")
	n, _ := strconv.ParseUint(num, 10, 32)
	switch n & 0xffff {
	case 99, 114, 198: // GPG_ERR_CANCELED, GPG_ERR_NOT_CONFIRMED, GPG_ERR_FULLY_CANCELED
		return ErrCancelled
	case 62: // GPG_ERR_TIMEOUT
		return ErrTimeout
	}
	return fmt.Errorf("pinentry: %s", text)
}

package terminal

import (
	"context"
	"strconv"
	"strings"
)

// zenity is GNOME's dialog program.
type zenity struct{ program }

func (u *UI) newZenity() (prompter, error) {
	p, err := u.newProgram("zenity")
	return zenity{p}, err
}

// zenityText keeps --entry from reading the text as anything but text: it
// resolves backslash escapes and takes an underscore for a mnemonic. (Pango
// markup is not interpreted there.)
var zenityText = strings.NewReplacer(`\`, `\\`, `_`, `__`)

func (z zenity) ask(ctx context.Context, r request) ([]byte, error) {
	args := []string{"--entry", "--title=groat", "--width=480", "--text=" + zenityText.Replace(r.text()+"\n"+r.Prompt)}
	if r.asksYes() { // --question takes the text for markup, unless told
		args = []string{"--question", "--title=groat", "--width=480", "--no-markup", "--default-cancel", "--text=" + r.text() + "\n" + r.Prompt}
		r.Default = ""
	}
	if r.kind == kindSecret {
		args = append(args, "--hide-text")
	}
	if r.Default != "" {
		args = append(args, "--entry-text="+r.Default)
	}
	if s := secondsLeft(ctx); s > 0 {
		args = append(args, "--timeout="+strconv.Itoa(s))
	}
	res, err := z.run(ctx, "", nil, args...)
	switch {
	case err != nil:
		return nil, err
	case res.code == 0 && r.asksYes():
		return []byte(yesAnswer), nil
	case res.code == 0:
		return res.stdout, nil
	case res.code == 5:
		return nil, ErrTimeout
	case res.code == 1:
		if strings.Contains(res.stderr, "cannot open display") || strings.Contains(res.stderr, "ailed to open display") {
			return nil, z.broken(res)
		}
		return nil, ErrCancelled
	}
	return nil, z.broken(res)
}

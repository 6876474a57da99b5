package terminal

import (
	"context"
	"fmt"
	"strings"
)

// kdialog is KDE's dialog program.
type kdialog struct{ program }

func (u *UI) newKDialog() (prompter, error) {
	p, err := u.newProgram("kdialog")
	return kdialog{p}, err
}

// kdialogText writes the text as rich text in which every character that
// means something to Qt or to kdialog (which resolves backslash escapes) is a
// numeric entity. Plain text would not do: Qt guesses from the text itself
// whether it is markup. mnemonics: & marks one and is doubled to be itself.
func kdialogText(s string, mnemonics bool) string {
	var b strings.Builder
	b.WriteString("<qt>")
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString("<br/>")
		case r == ' ':
			b.WriteString("&#160;")
		case r == '&' && mnemonics:
			b.WriteString("&#38;&#38;")
		case strings.ContainsRune(`<>&"'\%`, r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + "</qt>"
}

func (k kdialog) ask(ctx context.Context, r request) ([]byte, error) {
	text := r.text() + "\n" + r.Prompt
	args := []string{"--title", "groat", "--inputbox", kdialogText(text, true), r.Default}
	if r.asksYes() {
		args = []string{"--title", "groat", "--warningyesno", kdialogText(text, false)}
	}
	if r.kind == kindSecret {
		args = []string{"--title", "groat", "--password", kdialogText(text, false)}
	}
	res, err := k.run(ctx, "", nil, args...)
	switch {
	case err != nil:
		return nil, err
	case res.code == 0 && r.asksYes():
		return []byte(yesAnswer), nil
	case res.code == 0:
		return res.stdout, nil
	case res.code == 2 && r.asksYes(): // Esc, where two buttons are asked for
		return nil, ErrCancelled
	case res.code == 1 && !strings.Contains(res.stderr, "could not connect to display"):
		return nil, ErrCancelled
	}
	return nil, k.broken(res)
}

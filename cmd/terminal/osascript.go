package terminal

import (
	"context"
	"strconv"
	"strings"
)

// osascript shows macOS's own dialog.
type osascript struct{ program }

func (u *UI) newOsascript() (prompter, error) {
	p, err := u.newProgram("osascript")
	return osascript{p}, err
}

// dialogScript takes its texts as arguments, so that none of them is ever
// read as AppleScript. It is passed on stdin. "giving up after 0" means never.
const dialogScript = `on run argv
	set theText to item 1 of argv
	set theDefault to item 2 of argv
	set hideIt to (item 3 of argv is "hidden")
	set giveUp to (item 4 of argv) as integer
	if item 3 of argv is "yes" then
		set r to display dialog theText with title "groat" buttons {"No", "Yes"} default button "No" cancel button "No" giving up after giveUp
		if gave up of r then return "gave-up"
		return "answer:y"
	end if
	set r to display dialog theText default answer theDefault with title "groat" hidden answer hideIt giving up after giveUp
	if gave up of r then return "gave-up"
	return "answer:" & text returned of r
end run
`

func (o osascript) ask(ctx context.Context, r request) ([]byte, error) {
	shown := "shown"
	if r.kind == kindSecret {
		shown = "hidden"
	}
	if r.asksYes() {
		shown = "yes"
	}
	res, err := o.run(ctx, dialogScript, nil, "-", r.text()+"\n"+r.Prompt, r.Default, shown, strconv.Itoa(secondsLeft(ctx)))
	if err != nil {
		return nil, err
	}
	out := string(res.stdout)
	answer, ok := strings.CutPrefix(out, "answer:")
	switch {
	case res.code == 0 && ok:
		return []byte(answer), nil
	case res.code == 0 && strings.HasPrefix(out, "gave-up"):
		return nil, ErrTimeout
	case strings.Contains(res.stderr, "-128"): // userCanceledErr
		return nil, ErrCancelled
	}
	return nil, o.broken(res)
}

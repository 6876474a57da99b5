package cmd

import (
	"context"
	"embed"
	"strings"
)

//go:embed completions
var completions embed.FS

// completionCmd prints a completion script.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"One of ${enum}."`
}

// Run prints the script; what it completes is asked of groat itself as one
// types, so that profiles are always those of the moment.
func (c *completionCmd) Run(_ context.Context, a *app) error {
	script, err := completions.ReadFile("completions/groat." + c.Shell)
	if err != nil {
		return err
	}
	_, err = a.streams.Out.Write(script)
	return outputError(err)
}

// joinBroken joins the words that bash has broken at "=" and ":", which
// nobody types alone; raw tells for each word where it began.
func joinBroken(words []string) (joined []string, raw []int) {
	glue := false
	for i, w := range words {
		isBreak := w == "=" || w == ":" || w == "::"
		if len(joined) > 0 && (glue || isBreak) {
			joined[len(joined)-1] += w
		} else {
			joined, raw = append(joined, w), append(raw, i)
		}
		glue = isBreak
	}
	return joined, raw
}

// afterBreak leaves of each candidate what follows the last break that was
// typed: bash replaces only that.
func afterBreak(lines []string, typing string) []string {
	at := strings.LastIndexAny(typing, "=:") + 1
	if at == 0 {
		return lines
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = l
		if strings.HasPrefix(l, typing[:at]) {
			out[i] = l[at:]
		}
	}
	return out
}

package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// helpCmd is `groat help [COMMAND…]`: the same pages as --help, and the page
// of the flags that every command takes.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"Command to explain, or flags: the flags that every command takes."`
}

// Run prints the page that COMMAND --help prints.
func (c *helpCmd) Run(_ context.Context, a *app) error {
	if slices.Equal(c.Command, []string{flagsTopic}) {
		a.helpFlags = true
		c.Command = nil
	}
	_, err := a.parseAll(append(c.Command, "--help"))
	return err
}

// flagsTopic is the page of the flags that every command takes. They are on
// no other page: a page should fit one screen and speak of its command.
const flagsTopic = "flags"

// commonGroups are the groups of those flags.
var commonGroups = []string{"vault", "general"}

// printHelp prints one page: kong's own without the common flags, and then
// examples, from which one learns quicker.
func (a *app) printHelp(options kong.HelpOptions, k *kong.Context) error {
	root := k.Model.Node
	for _, f := range root.Flags {
		f.Hidden = f.Group != nil && slices.Contains(commonGroups, f.Group.Key) != a.helpFlags
	}
	node := k.Selected()
	if a.helpFlags {
		root.Children = nil
		root.Help = "Flags that every command takes, anywhere before --. Most may also come from GROAT_NAME in the environment, or from config.json."
	}
	var page bytes.Buffer
	out := k.Stdout
	k.Stdout = &page
	err := kong.DefaultHelpPrinter(options, k)
	k.Stdout = out
	if err != nil {
		return err
	}
	text := strings.Replace(page.String(), "\nCommands:\n", "", 1)
	text = strings.ReplaceAll(text, " [flags]\n", "\n")
	for short, whole := range commandUsage {
		text = strings.Replace(text, short+"\n", whole+"\n", 1)
	}
	switch {
	case a.helpFlags:
		text = strings.Replace(text, "Usage: groat <command>\n\n", "", 1)
	case node == nil:
		text += examplesText("") + "\nMore: groat help COMMAND; groat help flags\n"
	default:
		text += examplesText(commandPath(node)) + "\nMore: groat help flags (vault, prompts, debug)\n"
	}
	_, err = io.WriteString(out, text)
	return err
}

// commandUsage adds the command of exec and each to the first line: kong does
// not know of it, or not of its "--".
var commandUsage = map[string]string{
	"Usage: groat exec [<profile> [<cmd> ...]]": "Usage: groat exec [<profile>] [-- <cmd> ...]",
	"Usage: groat each <pattern> ...":           "Usage: groat each <pattern> ... -- <cmd> ...",
}

// commandPath is what one types for a command: "mfa seed".
func commandPath(n *kong.Node) string {
	if n.Parent == nil || n.Parent.Parent == nil {
		return n.Name
	}
	return commandPath(n.Parent) + " " + n.Name
}

// example is one line to learn from.
type example struct{ line, means string }

// examplesText is the block of a page's examples; "" if it has none.
func examplesText(path string) string {
	list := examplesOf(path)
	if len(list) == 0 {
		return ""
	}
	width := 0
	for _, e := range list {
		if len(e.line) <= maxExample {
			width = max(width, len(e.line))
		}
	}
	var b strings.Builder
	b.WriteString("\nExamples:\n")
	for _, e := range list {
		if len(e.line) > width {
			fmt.Fprintf(&b, "  %s\n  %*s  %s\n", e.line, width, "", e.means)
			continue
		}
		fmt.Fprintf(&b, "  %-*s  %s\n", width, e.line, e.means)
	}
	return b.String()
}

// maxExample is how long a line may be that has its meaning beside it.
const maxExample = 44

// examplesOf finds the examples of a command, or of the one above it.
func examplesOf(path string) []example {
	for {
		if list, ok := examples()[path]; ok {
			return list
		}
		above := strings.LastIndexByte(path, ' ')
		if above < 0 {
			return nil
		}
		path = path[:above]
	}
}

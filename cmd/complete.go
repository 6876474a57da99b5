package cmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"groat/cmd/terminal"
)

// completeCmd answers the completion scripts: the words that may stand where
// the cursor is, one a line, a tab and a description behind each. Two lines
// are directives: ":files" (the shell's own completion of files) and
// ":command:N" (that of the command line that begins at word N, counted from
// 0 with groat itself). It opens no vault.
type completeCmd struct {
	Shell string   `enum:"bash,zsh,fish,powershell" default:"bash"`
	words []string // behind groat; the last one is being typed, and may be empty
}

// setTail takes the words of the command line that is being typed.
func (c *completeCmd) setTail(words []string) { c.words = words }

// Run prints what may follow; what goes wrong is silence.
func (c *completeCmd) Run(_ context.Context, a *app) error {
	parser, err := kong.New(&cli{}, a.kongOptions()...)
	if err != nil {
		return nil
	}
	words, raw := c.words, []int(nil)
	if c.Shell == "bash" {
		words, raw = joinBroken(c.words)
	}
	if len(words) == 0 {
		words = []string{""}
	}
	w := &completer{a: a, node: parser.Model.Node}
	typing := words[len(words)-1]
	lines := w.complete(words[:len(words)-1], typing)
	for i, line := range lines {
		if w.commandAt > 0 && strings.HasPrefix(line, ":command:") {
			n := w.commandAt
			if raw != nil && n-1 < len(raw) {
				n = raw[n-1] + 1
			}
			lines[i] = fmt.Sprintf(":command:%d", n)
		}
	}
	if c.Shell == "bash" {
		lines = afterBreak(lines, typing)
	}
	if len(lines) == 0 {
		return nil
	}
	_, err = io.WriteString(a.streams.Out, strings.Join(lines, "\n")+"\n")
	return outputError(err)
}

// completer walks the words of a command line along the tree of commands.
type completer struct {
	a         *app
	node      *kong.Node
	arguments int // seen so far
	commandAt int // word at which somebody else's command line begins; 0: none
}

// complete answers for the word that is being typed behind the others.
func (w *completer) complete(before []string, typing string) []string {
	for i := 0; i < len(before); i++ {
		word := before[i]
		switch {
		case word == "--":
			return w.command(i + 2)
		case strings.HasPrefix(word, "-") && len(word) > 1:
			flag := w.flag(word)
			if flag == nil || flag.IsBool() || strings.Contains(word, "=") || !strings.HasPrefix(word, "--") && len(word) > 2 {
				continue
			}
			if i == len(before)-1 {
				return filter(w.flagValues(flag), typing)
			}
			i++
		case len(w.node.Children) > 0:
			if w.node = subcommand(w.node, word); w.node == nil {
				return nil
			}
		default:
			if w.arguments++; w.takesCommand(w.arguments - 1) {
				return w.command(i + 1)
			}
		}
	}
	switch {
	case strings.HasPrefix(typing, "--") && strings.Contains(typing, "="):
		name, value, _ := strings.Cut(typing, "=")
		flag := w.flag(name)
		if flag == nil || flag.IsBool() {
			return nil
		}
		values := filter(w.flagValues(flag), value)
		for i := range values {
			values[i] = name + "=" + values[i]
		}
		return values
	case strings.HasPrefix(typing, "-"):
		return filter(w.flagNames(), typing)
	case len(w.node.Children) > 0:
		return filter(children(w.node), typing)
	}
	if w.takesCommand(w.arguments) {
		return w.command(len(before) + 1)
	}
	return filter(w.argumentValues(), typing)
}

func (w *completer) command(at int) []string {
	w.commandAt = at
	return []string{":command:"}
}

// takesCommand: from exec's second argument on the words are a command.
func (w *completer) takesCommand(argument int) bool {
	return w.node.Name == "exec" && argument >= 1
}

func subcommand(n *kong.Node, word string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == word || slices.Contains(c.Aliases, word) {
			return c
		}
	}
	return nil
}

func children(n *kong.Node) []string {
	var lines []string
	for _, c := range n.Children {
		if !c.Hidden {
			lines = append(lines, c.Name+"\t"+c.Help)
		}
	}
	return lines
}

// flags are the node's own and those of the nodes above it.
func (w *completer) flags() []*kong.Flag {
	var all []*kong.Flag
	for n := w.node; n != nil; n = n.Parent {
		all = append(all, n.Flags...)
	}
	return all
}

func (w *completer) flag(word string) *kong.Flag {
	name, _, _ := strings.Cut(word, "=")
	for _, f := range w.flags() {
		long := strings.TrimPrefix(name, "--")
		if strings.HasPrefix(name, "--") && (f.Name == long || slices.Contains(f.Aliases, long)) ||
			!strings.HasPrefix(name, "--") && f.Short != 0 && strings.HasPrefix(name, "-"+string(f.Short)) {
			return f
		}
	}
	return nil
}

func (w *completer) flagNames() []string {
	var lines []string
	for _, f := range w.flags() {
		if !f.Hidden {
			lines = append(lines, "--"+f.Name+"\t"+f.Help)
		}
	}
	return lines
}

func (w *completer) flagValues(f *kong.Flag) []string {
	switch {
	case f.Enum != "":
		return strings.Split(f.Enum, ",")
	case slices.Contains([]string{"FILE", "DIR", "PATH"}, f.PlaceHolder):
		return []string{":files"}
	}
	return nil
}

// argumentValues are the values of the positional argument at the cursor.
func (w *completer) argumentValues() []string {
	arguments := w.node.Positional
	if len(arguments) == 0 {
		return nil
	}
	last := arguments[len(arguments)-1]
	if w.arguments < len(arguments) {
		last = arguments[w.arguments]
	} else if !last.IsCumulative() {
		return nil
	}
	switch {
	case last.Enum != "":
		return strings.Split(last.Enum, ",")
	case last.Name == "profile" || last.Name == "pattern":
		return profileWords(w.a)
	case w.node.Name == "help":
		root := w.node
		for root.Parent != nil {
			root = root.Parent
		}
		return children(root)
	}
	return nil
}

// profileWords are the profiles of the configuration and those that are on
// record as holding a key, each with its role.
func profileWords(a *app) []string {
	roles := map[string]string{}
	if config, err := a.aws.config(); err == nil {
		for _, name := range config.Names() {
			roles[name] = config.Value(name, "role_arn")
		}
		for helper, typed := range a.aws.typedNames(config) {
			roles[typed] = roles[helper]
			delete(roles, helper)
		}
	}
	for _, name := range a.vaults().Names() {
		roles[name] = cmp.Or(roles[name], "")
	}
	var lines []string
	for name, role := range roles {
		if name != terminal.Sanitize(name) || strings.ContainsAny(name, "\t\r\n") || strings.HasPrefix(name, ":") {
			continue
		}
		lines = append(lines, strings.TrimSuffix(name+"\t"+terminal.Sanitize(role), "\t"))
	}
	slices.Sort(lines)
	return lines
}

func filter(lines []string, typed string) []string {
	return slices.DeleteFunc(lines, func(l string) bool {
		return !strings.HasPrefix(l, typed) && l != ":files"
	})
}

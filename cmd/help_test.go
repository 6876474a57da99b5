package cmd

import (
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// maxPage is one screen of a terminal that is somewhat larger than 80×24.
const maxPage = 50

// leaves are all commands that a user sees.
func leaves(n *kong.Node, visit func(*kong.Node)) {
	for _, c := range n.Children {
		if c.Hidden {
			continue
		}
		visit(c)
		leaves(c, visit)
	}
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	a := newApp(nil, Streams{Out: io.Discard, Err: io.Discard})
	parser, err := kong.New(&cli{}, a.kongOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model
}

func TestEveryPageTeachesOnOneScreen(t *testing.T) {
	check := func(words ...string) {
		r := runMain(t, nil, "", words...)
		if r.code != 0 || r.stderr != "" {
			t.Fatalf("%q: %+v", words, r)
		}
		if n := strings.Count(r.stdout, "\n"); n > maxPage {
			t.Errorf("%q: %d lines, more than %d", words, n, maxPage)
		}
		for line := range strings.Lines(r.stdout) {
			if len([]rune(line)) > 101 {
				t.Errorf("%q: too wide: %s", words, line)
			}
		}
		if words[len(words)-1] != flagsTopic && !strings.Contains(r.stdout, "\nExamples:\n  ") {
			t.Errorf("%q: no example", words)
		}
	}
	check("--help")
	check("help", "flags")
	for command, usage := range map[string]string{"exec": "Usage: groat exec [<profile>] [-- <cmd> ...]\n", "each": "Usage: groat each <pattern> ... -- <cmd> ...\n"} {
		if r := runMain(t, nil, "", command, "--help"); !strings.HasPrefix(r.stdout, usage) {
			t.Errorf("%s: %s", command, r.stdout)
		}
	}
	leaves(model(t).Node, func(n *kong.Node) {
		words := strings.Fields(commandPath(n))
		check(append(words, "--help")...)
		if n.Help == "" || n.Group == nil && n.Parent.Parent == nil {
			t.Errorf("%s: no help or no group", n.FullPath())
		}
	})
	if r := runMain(t, nil, "", "help", "flags"); !strings.Contains(r.stdout, "--backend") || strings.Contains(r.stdout, "Commands") {
		t.Errorf("help flags: %s", r.stdout)
	}
	if r := runMain(t, nil, "", "help", "exec"); strings.Contains(r.stdout, "--backend") || !strings.Contains(r.stdout, "--server") {
		t.Errorf("help exec: %s", r.stdout)
	}
}

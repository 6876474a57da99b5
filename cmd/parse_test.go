package cmd

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// The steps taken here are kong's own: whatever the words are, the same tree
// and the same mistake come out, but for empty words and plainer messages.
func TestParseIsKongs(t *testing.T) {
	model, err := kong.New(&cli{}, newApp(nil, Streams{}).kongOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	refused := map[string]bool{}
	for range 4000 {
		words := randomWords(random, model.Model.Node)
		ours, theirs := newApp(nil, Streams{}), newApp(nil, Streams{})
		_, ourErr := ours.parseAll(words)
		if ourErr != nil && strings.HasSuffix(ourErr.Error(), "is an empty word") {
			continue
		}

		theirs.cli = cli{}
		parser, err := kong.New(&theirs.cli, theirs.kongOptions()...)
		if err != nil {
			t.Fatal(err)
		}
		_, theirErr := parser.Parse(flagsFirst(parser.Model.Node, words))
		var mistake *kong.ParseError
		errors.As(theirErr, &mistake)
		if ourErr == nil != (theirErr == nil) || theirErr != nil && ourErr.Error() != plainParseError(mistake.Context, theirErr) {
			t.Fatalf("%q: %v, kong says: %v", words, ourErr, theirErr)
		}
		if theirErr != nil {
			refused[strings.Join(strings.Fields(theirErr.Error())[:2], " ")] = true
		} else if !reflect.DeepEqual(ours.cli, theirs.cli) {
			t.Fatalf("%q gives\n%+v, not\n%+v", words, ours.cli, theirs.cli)
		}
	}
	// The words were wild enough for every kind of mistake.
	for _, kind := range []string{"expected one", `expected "<profile>"`, "missing flags:", "unknown flag", "unexpected argument", "--backend must", "<shell> must", "--profiles and"} {
		if !refused[kind] {
			t.Errorf("no %q among the refusals", kind)
		}
	}
}

// randomWords is a path through the tree with flags and arguments, some of
// which fit.
func randomWords(random *rand.Rand, node *kong.Node) []string {
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	var words []string
	flags := node.Flags
	for len(node.Children) > 0 && random.IntN(12) > 0 {
		node = node.Children[random.IntN(len(node.Children))]
		words = append(words, pick(append([]string{node.Name}, node.Aliases...)))
		flags = append(flags[:len(flags):len(flags)], node.Flags...)
	}
	for range random.IntN(4) {
		f := flags[random.IntN(len(flags))]
		if own := node.Flags; len(own) > 0 && random.IntN(3) > 0 {
			f = own[random.IntN(len(own))]
		}
		if f.Name == "help" || f.Name == "version" {
			continue
		}
		word := "--" + pick(append([]string{f.Name}, f.Aliases...))
		if f.Short != 0 && random.IntN(2) == 0 {
			word = "-" + string(f.Short)
		}
		if random.IntN(30) == 0 {
			word += "x"
		}
		words = append(words, word)
		if !f.IsBool() && random.IntN(20) > 0 {
			words = append(words, pick(append([]string{"1h", "x", "", "8080"}, f.EnumSlice()...)))
		}
	}
	for range random.IntN(3) {
		at := random.IntN(len(words) + 1)
		words = append(words[:at:at], append([]string{pick([]string{"prod", "bash", "-1", "a b"})}, words[at:]...)...)
	}
	return words
}

// No method is looked up by a name that the linker cannot know: it would have
// to keep every exported method of every type.
func TestLinkerKnowsAllMethods(t *testing.T) {
	program := filepath.Join(t.TempDir(), "groat")
	build := exec.Command("go", "build", "-o", program, "groat/cmd/groat")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	symbols, err := exec.Command("go", "tool", "nm", program).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	if !strings.Contains(string(symbols), "github.com/alecthomas/kong.Trace") {
		t.Fatal("the command line parser is not among the symbols")
	}
	for _, line := range strings.Split(string(symbols), "\n") {
		for _, lookup := range []string{"reflect.Value.MethodByName", "reflect.Value.Method", "kong.getMethod"} {
			if strings.HasSuffix(line, " "+lookup) || strings.HasSuffix(line, "/"+lookup) {
				t.Errorf("linked: %s", line)
			}
		}
	}
}

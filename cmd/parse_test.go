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

// kong's own Parse takes and refuses the same words, and makes the same tree
// of them, but for empty words.
func TestParseAgreesWithKong(t *testing.T) {
	t.Parallel()
	count := 150
	if os.Getenv("GROAT_TEST_LONG") != "" {
		count = 4000
	}
	root := model(t).Node
	random := rand.New(rand.NewPCG(1, 2))
	taken, refused := 0, 0
	for range count {
		words := randomWords(random, root)
		ours, theirs := newApp(nil, Streams{}), newApp(nil, Streams{})
		_, ourErr := ours.parseAll(words)
		if ourErr != nil && strings.HasSuffix(ourErr.Error(), "is empty") {
			continue
		}
		parser, err := kong.New(&theirs.cli, theirs.kongOptions()...)
		if err != nil {
			t.Fatal(err)
		}
		_, theirErr := parser.Parse(flagsFirst(parser.Model.Node, words))
		switch {
		case (ourErr == nil) != (theirErr == nil):
			t.Fatalf("%q: %v, kong says: %v", words, ourErr, theirErr)
		case theirErr != nil:
			refused++
		case !reflect.DeepEqual(ours.cli, theirs.cli):
			t.Fatalf("%q gives\n%+v, not\n%+v", words, ours.cli, theirs.cli)
		default:
			taken++
		}
	}
	if taken < count/20 || refused < count/5 {
		t.Errorf("%d command lines taken, %d refused", taken, refused)
	}
}

// What the tree says of flags and arguments is held to, in plain words.
func TestWordsThatDoNotFitTheTree(t *testing.T) {
	for line, want := range map[string]string{
		"--debug":                      "no command given",
		"mfa":                          "no command given",
		"remove a --nosuch b":          "unknown flag --nosuch",
		"list prod":                    "unexpected argument prod",
		"add":                          "PROFILE is missing, as in: groat add default",
		"configure":                    "PROFILE is missing, as in: groat configure admin --dry-run",
		"migrate":                      "--from is missing, as in: groat migrate --from file --to secret-service",
		"migrate --from file":          "--to is missing, as in: groat migrate --from file --to secret-service",
		"list --backend floppy":        `--backend: "floppy" is not one of auto, keychain, `,
		"import --from floppy":         `--from: "floppy" is not one of credentials-file, `,
		"completion tcsh":              `SHELL: "tcsh" is not one of bash, `,
		"list --profiles --sessions":   "--profiles and --sessions cannot be used together",
		"exec -s --profile-env p -- x": "--server and --profile-env cannot be used together",
		"remove a '' b":                "PROFILE is empty",
	} {
		words := strings.Fields(line)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "''", "")
		}
		_, err := newApp(nil, Streams{}).parse(words)
		if !errors.Is(err, errUsage) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
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

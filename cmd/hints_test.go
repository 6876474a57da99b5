package cmd

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"groat/provider/profile"
)

// commandText finds a command in text: it ends with its backquotes, its
// clause, its line, or where a shell's own part of the line begins.
var commandText = regexp.MustCompile("(^|[^-/\\w.])groat( [^`;,)|>&\n]*)")

// checkCommands parses every command of groat's in a text. "groat" before a
// word that is no command is prose, unless it is in backquotes. A name alone
// (`groat add`) counts only where somebody is told to run it.
func checkCommands(t *testing.T, at, text string, names bool) int {
	t.Helper()
	n := 0
	for _, m := range commandText.FindAllStringSubmatch(text, -1) {
		line, _, _ := strings.Cut(m[2], " #")
		words, err := profile.SplitWords(strings.TrimRight(line, ` ".:`))
		switch {
		case err != nil || len(words) == 0 || strings.Contains(line, "…"):
			continue
		case m[1] != "`" && !told.MatchString(text) && !isCommand(t, words[:1]), words[0] == "placeholder", slices.Contains(words, "NAME"):
			continue
		case names && (len(words) == 1 || len(words) == 2 && words[0] == "mfa"):
			if n++; !strings.HasPrefix(words[0], "-") && !isCommand(t, words) {
				t.Errorf("%s: groat%s is not a command", at, line)
			}
			continue
		case line == " mfa placeholder", line == " lock file": // the start of a command, and of a lock file
			continue
		}
		n++
		a := newApp(nil, Streams{Out: io.Discard, Err: io.Discard})
		a.settings.path = ""
		if _, err := a.parse(words); err != nil && !errors.Is(err, errDone) {
			t.Errorf("%s: groat%s: %v", at, line, err)
		}
	}
	return n
}

// told is before a command that somebody is told to run.
var told = regexp.MustCompile(`(^|hint: |; )(run|try|first)( in a terminal)?: groat `)

// isCommand reports whether the words name a command of the tree.
func isCommand(t *testing.T, words []string) bool {
	node := model(t).Node
	for _, word := range words {
		i := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == word || slices.Contains(c.Aliases, word) })
		if i < 0 {
			return false
		}
		node = node.Children[i]
	}
	return true
}

// Every command that a message tells people to run is one that the parser
// takes. In messages a command ends with the text, or it is in backquotes.
func TestCommandsOfMessagesParse(t *testing.T) {
	t.Parallel()
	n := 0
	eachText(t, func(at, text string) { n += checkCommands(t, at, text, false) })
	if n < 40 {
		t.Errorf("only %d commands found", n)
	}
}

// The phrases of messages and pages are plain ones: a thing is stored or
// is, and “is not a valid region”.
func TestPhrasesArePlain(t *testing.T) {
	odd := regexp.MustCompile(`(?i)[a-z"”)%qs] (is|are) no [a-z“]|\b(lies|stands|stood)\b|nobody can be asked|who a profile is`)
	fine := regexp.MustCompile(`(?i)\b(there|that|it) (is|are) no |(is|are) no longer `)
	check := func(at, text string) {
		for line := range strings.Lines(fine.ReplaceAllString(text, "")) {
			if phrase := odd.FindString(line); phrase != "" {
				t.Errorf("%s: %q in %q", at, phrase, line)
			}
		}
	}
	eachText(t, check)
	for _, file := range pages(t, "../docs/*.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(file, string(text))
	}
}

// isTestsOwn reports whether a folder holds what only tests and the demo run.
func isTestsOwn(folder string) bool {
	return slices.Contains([]string{"testdata", "ststest", "vaulttest", "groat-demo", "terminaltest"}, folder)
}

// eachText walks through the product's strings, those of help texts too.
func eachText(t *testing.T, do func(at, text string)) {
	t.Helper()
	for _, room := range []string{".", "../provider", "../session", "../vault"} {
		err := filepath.WalkDir(room, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && isTestsOwn(d.Name()) && path != room {
				return fs.SkipDir
			}
			if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || d.Name() == "examples.go" {
				return nil
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				if f, ok := node.(*ast.Field); ok && f.Tag != nil {
					tag, _ := strconv.Unquote(f.Tag.Value)
					do(set.Position(f.Pos()).String(), reflect.StructTag(tag).Get("help"))
					return false
				}
				e, ok := node.(ast.Expr)
				if !ok {
					return true
				}
				text, ok := literalText(e)
				if ok {
					do(set.Position(e.Pos()).String(), text)
				}
				return !ok
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

var verb = regexp.MustCompile(`%[-+#0-9.]*[a-z]`)

// literalText is a string of the source, with a word for each part that is
// known only when the program runs.
func literalText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return verb.ReplaceAllString(text, "placeholder"), err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok1 := literalText(e.X)
		right, ok2 := literalText(e.Y)
		if e.Op != token.ADD || !ok1 && !ok2 {
			return "", false
		}
		if !ok1 {
			left = "placeholder"
		}
		if !ok2 {
			right = "placeholder"
		}
		return left + right, true
	}
	return "", false
}

// unquoted finds in an expression what stands in a command of groat's and is
// not made a word of the shell.
func unquoted(t *testing.T, e ast.Expr) []ast.Expr {
	open := func(text string) bool {
		m := openCommand.FindStringSubmatch(text)
		return m != nil && isCommand(t, []string{m[2]})
	}
	literal := func(e ast.Expr) string {
		lit, _ := e.(*ast.BasicLit)
		if lit == nil || lit.Kind != token.STRING {
			return ""
		}
		text, _ := strconv.Unquote(lit.Value)
		return text
	}
	isWord := func(e ast.Expr) bool {
		if name, ok := e.(*ast.Ident); ok && name.Name == "command" {
			return true // of groat's own
		}
		if field, ok := e.(*ast.SelectorExpr); ok && field.Sel.Name == "Named" {
			return true // quoted by who filled it in
		}
		call, _ := e.(*ast.CallExpr)
		if call == nil {
			return false
		}
		f, _ := call.Fun.(*ast.SelectorExpr)
		return f != nil && f.Sel.Name == "Word"
	}
	var found []ast.Expr
	switch e := e.(type) {
	case *ast.BinaryExpr:
		left := e.X
		if b, ok := left.(*ast.BinaryExpr); ok {
			left = b.Y
		}
		if open(literal(left)) && literal(e.Y) == "" && !isWord(e.Y) {
			found = append(found, e.Y)
		}
	case *ast.CallExpr:
		for i, arg := range e.Args {
			format := literal(arg)
			verbs := verb.FindAllStringIndex(format, -1)
			for n, at := range verbs {
				if open(format[:at[0]]) && i+1+n < len(e.Args) && !isWord(e.Args[i+1+n]) {
					found = append(found, e.Args[i+1+n])
				}
			}
		}
	}
	return found
}

// openCommand is text that ends within a command, before its next word.
var openCommand = regexp.MustCompile("(^|[ `(])groat ([a-z-]+)[a-z -]* $")

// A name in a command that people are told to run may hold anything that a
// shell acts upon: all of them go through files.Word.
func TestNamesInCommandsAreQuoted(t *testing.T) {
	words := 0
	for _, room := range []string{".", "../provider", "../provider/profile", "../provider/iam", "../session", "../vault"} {
		paths, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", room, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(node ast.Node) bool {
				if s, ok := node.(*ast.SelectorExpr); ok && s.Sel.Name == "Word" {
					words++
				}
				if e, ok := node.(ast.Expr); ok {
					for _, bare := range unquoted(t, e) {
						t.Errorf("%s: not quoted for the shell", set.Position(bare.Pos()))
					}
				}
				return true
			})
		}
	}
	if words < 25 {
		t.Errorf("only %d quoted names found", words)
	}
}

// So is every command of the help pages, the documents and the scripts.
func TestDocumentedCommandsParse(t *testing.T) {
	t.Parallel()
	for path, list := range examples() {
		for _, e := range list {
			if checkCommands(t, "help "+path, e.line, false) == 0 {
				t.Errorf("help %s: no command in %q", path, e.line)
			}
		}
	}
	for _, file := range pages(t, "../CHANGELOG.md", "../docs/*.md", "testdata/script/*.txtar") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if filepath.Ext(file) == ".txtar" {
			for line := range strings.Lines(string(text)) {
				if command, ok := strings.CutPrefix(strings.TrimSpace(line), "exec "); ok && strings.HasPrefix(command, "groat ") {
					n += checkCommands(t, file, strings.ReplaceAll(command, "$", ""), false)
				}
			}
		} else {
			for _, code := range codeOf(string(text)) {
				n += checkCommands(t, file, code, true)
			}
		}
		if n == 0 && strings.Contains("../README.md ../docs/daily-use.md", file) {
			t.Errorf("%s: no command found", file)
		}
	}
}

// pages are the documents, and what the patterns match.
func pages(t *testing.T, patterns ...string) []string {
	t.Helper()
	files := []string{"../README.md", "../CONTRIBUTING.md", "../SECURITY.md"}
	for _, pattern := range patterns {
		more, err := filepath.Glob(pattern)
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, more...)
	}
	return files
}

var (
	fenced = regexp.MustCompile("(?ms)^```.*?^```$")
	inline = regexp.MustCompile("`[^`]+`")
	indent = regexp.MustCompile(`(?m)^    .*$`)
)

// codeOf are the pieces of code in a page.
func codeOf(page string) []string {
	code := fenced.FindAllString(page, -1)
	page = fenced.ReplaceAllString(page, "")
	for _, block := range indent.FindAllString(page, -1) {
		code = append(code, strings.TrimSpace(block))
	}
	for _, piece := range inline.FindAllString(page, -1) {
		code = append(code, strings.ReplaceAll(piece, "\n", " "))
	}
	return code
}

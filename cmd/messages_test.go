package cmd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every error that the program can make has its entry in troubleshooting.md,
// and the page names none that it cannot. A text that begins with its class
// (ErrLocked …) has the entry of the class.
func TestEveryMessageHasItsEntry(t *testing.T) {
	page, doctors, _ := strings.Cut(readDoc(t, "troubleshooting.md"), "\n## What doctor finds")
	_, rows, _ := strings.Cut(page, "\n") // the title
	if doctors == "" {
		t.Fatal("the part about doctor is missing")
	}
	var entries, quoted []string
	for line := range strings.Lines(rows) {
		if title, is := strings.CutPrefix(line, "### "); is {
			entries = append(entries, strings.TrimSpace(title))
		}
		cell, isRow := strings.CutPrefix(line, "| `")
		if isRow {
			line, _, _ = strings.Cut("| `"+cell, " | ")
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
			if isRow && !regexp.MustCompile(`^\w+$`).MatchString(m[1]) { // AWS's codes have a table of their own
				quoted = append(quoted, m[1])
			} else if strings.Contains(m[1], " ") {
				entries = append(entries, m[1])
			}
		}
	}
	entries = append(entries, quoted...)

	n := 0
	var all []string
	for _, room := range []string{".", "../provider", "../session", "../vault"} {
		err := filepath.WalkDir(room, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if isTestsOwn(d.Name()) && path != room {
				return fs.SkipDir
			}
			m := readMessages(t, path)
			for text, at := range m.found {
				all = append(all, text)
				switch words := strings.TrimPrefix(text, "profile …"); {
				case m.member[text], len(regexp.MustCompile(`[A-Za-z]`).FindAllString(words, -1)) < 6, !strings.Contains(text, " "), strings.HasPrefix(text, "groat "):
					continue // a class's, only put together from others, or a command
				}
				if n++; !slices.ContainsFunc(entries, func(e string) bool { return matches(e, text) }) {
					t.Errorf("%s: %q has no entry in troubleshooting.md", m.set.Position(at), text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 380 || len(quoted) < 200 {
		t.Errorf("only %d messages and %d quotations were found", n, len(quoted))
	}

	eachText(t, func(_, text string) { all = append(all, strings.ReplaceAll(text, "placeholder", "…")) })
	for _, q := range quoted {
		if !slices.ContainsFunc(all, func(text string) bool { return matches(q, text) }) && !kongsOwn[q] {
			t.Errorf("troubleshooting.md has %q, which nothing says", q)
		}
	}
}

// kongsOwn are messages of the parser that groat uses.
var kongsOwn = map[string]bool{"unknown flag …": true, "unexpected argument …": true}

// matches reports whether the parts of an entry, between its ellipses, are in
// a text in their order.
func matches(entry, text string) bool {
	for _, part := range strings.Split(entry, "…") {
		_, after, found := strings.Cut(text, strings.TrimSpace(part))
		if !found {
			return false
		}
		text = after
	}
	return true
}

// messages are the texts of all errors that a package can make, with an
// ellipsis for what is filled in. A function that hands a parameter on as such
// a text makes errors too, so that no list of such functions is kept.
type messages struct {
	set    *token.FileSet
	makers map[string]map[int]bool // by name: the parameters that become texts
	found  map[string]token.Pos
	member map[string]bool // names its class
}

// scope is what is known within a function: the places of its parameters, and
// what its variables are set to.
type scope struct {
	outer  *scope
	name   string
	params map[string]int
	values map[string][]ast.Expr
}

func readMessages(t *testing.T, dir string) *messages {
	t.Helper()
	m := &messages{token.NewFileSet(), map[string]map[int]bool{"fmt.Errorf": {0: true}, "errors.New": {0: true}, "fault.New": {0: true}}, map[string]token.Pos{}, map[string]bool{}}
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		// What lint finds has its check's row in doctor's table.
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(filepath.Base(path), "lint") {
			continue
		}
		f, err := parser.ParseFile(m.set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	for known := -1; known != m.known(); { // until no further maker is found
		known = m.known()
		for _, f := range files {
			top := &scope{values: map[string][]ast.Expr{}}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); !ok {
					m.read(top, d)
				} else if fn.Body != nil {
					m.read(inside(top, fn.Name.Name, fn.Type), fn.Body)
				}
			}
		}
	}
	return m
}

func (m *messages) known() int {
	n := 0
	for _, params := range m.makers {
		n += len(params)
	}
	return n
}

func inside(outer *scope, name string, typ *ast.FuncType) *scope {
	s := &scope{outer, name, map[string]int{}, map[string][]ast.Expr{}}
	i := 0
	for _, field := range typ.Params.List {
		for _, n := range field.Names {
			s.params[n.Name] = i
			i++
		}
	}
	return s
}

func (m *messages) read(s *scope, root ast.Node) {
	names := map[ast.Expr]string{} // of functions that a variable holds
	set := func(name ast.Expr, value ast.Expr) {
		if id, ok := name.(*ast.Ident); ok {
			s.values[id.Name] = append(s.values[id.Name], value)
			names[value] = id.Name
		}
	}
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, name := range n.Lhs {
				if len(n.Rhs) == len(n.Lhs) && n.Tok != token.ADD_ASSIGN {
					set(name, n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, value := range n.Values {
				set(n.Names[min(i, len(n.Names)-1)], value)
			}
		case *ast.FuncLit:
			return false
		}
		return true
	})
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			m.read(inside(s, names[n], n.Type), n.Body)
			return false
		case *ast.CallExpr:
			for i, arg := range n.Args {
				if m.makers[callee(n)][i] {
					for _, text := range m.texts(s, arg, 0) {
						m.found[text] = arg.Pos()
						if callee(n) == "fmt.Errorf" && slices.ContainsFunc(n.Args[1:], isClass) {
							m.member[text] = true
						}
					}
				}
			}
		}
		return true
	})
}

// texts are what an expression can be as the text of an error.
func (m *messages) texts(s *scope, e ast.Expr, depth int) []string {
	var all []string
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return []string{strings.ReplaceAll(verb.ReplaceAllString(text, "…"), "%%", "%")}
		}
	case *ast.BinaryExpr:
		for _, left := range m.texts(s, e.X, depth) {
			for _, right := range m.texts(s, e.Y, depth) {
				all = append(all, left+right)
			}
		}
		return all
	case *ast.CallExpr:
		if callee(e) == "fmt.Sprintf" {
			return m.texts(s, e.Args[0], depth)
		}
	case *ast.Ident:
		for in := s; in != nil && depth < 5; in = in.outer {
			if i, is := in.params[e.Name]; is {
				if m.makers[in.name] == nil {
					m.makers[in.name] = map[int]bool{}
				}
				m.makers[in.name][i] = in.name != ""
				break
			}
			for _, value := range in.values[e.Name] {
				all = append(all, m.texts(s, value, depth+1)...)
			}
			if len(all) > 0 {
				return all
			}
		}
	}
	return []string{"…"}
}

// callee is the name of the function that is called, with its package's where
// it makes errors or texts.
func callee(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && slices.Contains([]string{"fmt", "errors", "fault"}, x.Name) {
			return x.Name + "." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}

// isClass reports whether an argument is a sentinel, such as ErrLocked.
func isClass(e ast.Expr) bool {
	if s, ok := e.(*ast.SelectorExpr); ok {
		e = s.Sel
	}
	id, ok := e.(*ast.Ident)
	return ok && regexp.MustCompile("^[Ee]rr[A-Z]").MatchString(id.Name)
}

package vault_test

import (
	"bytes"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	gotoken "go/token"
	gotypes "go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The Keychain is reached through cgo, for which there is a compiler on macOS
// alone. Elsewhere the types are checked, against the sources of the library:
// C's own are taken as they come.
func TestKeychainTypes(t *testing.T) {
	fset := gotoken.NewFileSet()
	exports := exportData(t)
	gc := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	library := checkDarwin(t, fset, gc, goList(t, "-m", "-f", "{{.Dir}}", "github.com/99designs/go-keychain"), true)
	checkDarwin(t, fset, withPackage{gc, library}, ".", false)
}

type withPackage struct {
	gotypes.Importer
	extra *gotypes.Package
}

func (w withPackage) Import(path string) (*gotypes.Package, error) {
	if path == "github.com/99designs/go-keychain" {
		return w.extra, nil
	}
	return w.Importer.Import(path)
}

// checkDarwin checks a package as macOS builds it, with cgo.
func checkDarwin(t *testing.T, fset *gotoken.FileSet, imports gotypes.Importer, dir string, lenient bool) *gotypes.Package {
	t.Helper()
	b := build.Default
	b.GOOS, b.GOARCH, b.CgoEnabled = "darwin", "arm64", true
	p, err := b.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	names := append(slices.Clone(p.GoFiles), p.CgoFiles...)
	for _, name := range names {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	if !lenient && !slices.Contains(names, "keychain_cgo_darwin.go") {
		t.Fatalf("the Keychain is not in a build for macOS: %q", names)
	}
	c := gotypes.Config{Importer: imports, FakeImportC: true, Error: func(err error) {
		if !lenient {
			t.Error(err)
		}
	}}
	checked, _ := c.Check(p.ImportPath, fset, files, nil)
	return checked
}

// exportData gives the compiled form of what the vault imports on macOS.
func exportData(t *testing.T) map[string]string {
	t.Helper()
	exports := map[string]string{}
	for line := range strings.Lines(goList(t, "-export", "-deps", "-tags", "nokeychain", "-f", "{{.ImportPath}} {{.Export}}", ".")) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return exports
}

func goList(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command("go", append([]string{"list"}, args...)...)
	c.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list %q: %v\n%s", args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// Without cgo there is no Keychain, and no key of anybody's in it: such a
// build fails, unless it is asked for.
func TestBuildWithoutKeychain(t *testing.T) {
	for tags, good := range map[string]bool{"": false, "nokeychain": true} {
		c := exec.Command("go", "build", "-tags", tags, ".")
		c.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
		out, err := c.CombinedOutput()
		if (err == nil) != good || !good && !bytes.Contains(out, []byte("with_the_tag_nokeychain")) {
			t.Errorf("tags %q: %v\n%s", tags, err, out)
		}
	}
}

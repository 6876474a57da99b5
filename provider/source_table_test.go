package provider

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	"groat/provider/profile"
	"groat/session"
)

// sourceKinds are the constants of profile.SourceKind, as they are written.
func sourceKinds(t *testing.T) []profile.SourceKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "profile/profile.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []profile.SourceKind
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); ok && id.Name == "SourceKind" {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, profile.SourceKind(text))
		}
		return true
	})
	if len(kinds) < 9 {
		t.Fatalf("found only %q", kinds)
	}
	return kinds
}

// TestSourceTable is the first to fail where a kind of source is new: each
// has one whole row, and the cache can keep what the row says.
func TestSourceTable(t *testing.T) {
	kinds := sourceKinds(t)
	if n := len(sources()); n != len(kinds) {
		t.Errorf("%d rows for %d kinds", n, len(kinds))
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			s := sourceOf(kind)
			if s.kind != kind {
				t.Fatal("there is no row")
			}
			if s.words == "" || s.plan == nil || s.identity == nil || s.fetch == nil {
				t.Errorf("the row is not whole: %+v", s)
			}
			if kind == profile.SourceNone {
				return
			}
			p := planOf(t, kind)
			m := &Minter{Getenv: func(name string) string { return name }}
			if id := s.identity(m, p); strings.Join(id, "") == "" {
				t.Errorf("nothing says whose credentials these are: %q", id)
			}
			if p.Steps[0].Operation != OpGetSessionToken && p.Steps[0].Operation != s.operation {
				t.Errorf("the first step is %s", p.Steps[0].Operation)
			}
			if s.line != nil && s.line(&p.Source) == "" {
				t.Error("the line that is run is not found")
			}
			if name := SignInName(&p.Source); (s.signIn != nil) != (name != "") {
				t.Errorf("the sign-in is kept as %q", name)
			}
			for i := range p.Steps {
				if kind := p.kept(i); kind != "" && !session.KnownKind(kind) {
					t.Errorf("the cache does not know %q", kind)
				}
			}
		})
	}
}

// planOf is a plan for one role over a source of the kind.
func planOf(t *testing.T, kind profile.SourceKind) *Plan {
	t.Helper()
	r := &profile.Resolved{Name: "r", Profile: "r", Source: profile.Source{
		Kind: kind, Profile: "p", Region: "eu-west-1", Process: "line", LoginSession: "arn:aws:iam::111111111111:user/x",
		Static:      &profile.StaticKey{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "x"},
		SSO:         &profile.SSO{StartURL: "https://example.com/start", Region: "eu-west-1", AccountID: "111111111111", RoleName: "r"},
		WebIdentity: &profile.WebIdentity{RoleARN: "arn:aws:iam::111111111111:role/r", TokenProcess: "line"},
	}, Roles: []profile.Role{{RoleARN: "arn:aws:iam::111111111111:role/r"}}}
	p, err := NewPlan(r, &Card{KeyID: "AKIAEXAMPLE", Generation: "1"}, Options{AssumeRoleTTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Steps) != 2 {
		t.Fatalf("%d steps", len(p.Steps))
	}
	return p
}

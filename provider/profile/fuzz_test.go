package profile

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var fuzzTexts = []string{
	"", "[default]\nregion = x\n", teamConfig, "\ufeff[default]\r\nregion = x # c\r\n\r\n[profile \"a b\"]\r\ns3 =\r\n  a = b\r\n",
	"[profile a]\nx = 1\n 2\n\n  3\n[ services s ]\nsts =\n  endpoint_url = y\n", "x\n[a\n[]\n[profile a]\n= y\nz\n", "[profile a]\r\rk:v\r[profile a]\nK = w",
	"  [profile a]\n  k = v\n  [profile b]\n k=v\n", "[profile a]\n\u00a0k = v\n[profile a]\nk=\n  x = \x1c y\n", "[default]\nk = v",
}

// said is what a text says, errors apart.
func said(t testing.TB, text string) map[string]map[string]string {
	return load(t, text, "").everything()
}

func FuzzRead(f *testing.F) {
	for _, text := range fuzzTexts {
		f.Add(text, "default")
		f.Add(text, "a")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		c := load(t, text, "")
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, p := range c.Problems() {
			if p.Line < 1 || p.Line > lines || !errors.Is(p, ErrMalformed) {
				t.Errorf("problem %v in a text of %d lines", p, lines)
			}
		}
		for _, n := range c.Names() {
			if !c.Exists(n) {
				t.Errorf("profile %q is named and does not exist", n)
			}
		}
		// The sections cover the text from the first header on.
		sections := c.files[0].sections
		for i, s := range sections {
			end := len(text)
			if i+1 < len(sections) {
				end = sections[i+1].headStart
			}
			if s.end != end || s.start > s.end || s.headStart >= s.start && text != "" {
				t.Errorf("section %d: %+v, want its end at %d", i, s, end)
			}
		}
		was := c.everything()
		if !strings.Contains(text, "\r") {
			if got := said(t, strings.ReplaceAll(text, "\n", "\r\n")); !reflect.DeepEqual(got, was) {
				t.Errorf("with CRLF %v, without %v", got, was)
			}
		}
		if !strings.HasPrefix(text, byteOrderMark) {
			if got := said(t, byteOrderMark+text); !reflect.DeepEqual(got, was) {
				t.Errorf("with a byte order mark %v, without %v", got, was)
			}
		}
		if got := said(t, text+"\n# end\n\n"); !reflect.DeepEqual(got, was) {
			t.Errorf("with a comment behind it %v, without %v", got, was)
		}
		r, err := c.Resolve(name, ResolveOptions{SelfProfile: selfGroat, HoldsKey: holding("k")})
		var pe *Error
		switch {
		case err != nil && !errors.As(err, &pe):
			t.Errorf("error %v is a %T", err, err)
		case err == nil && (r.Name != name || r.Source.Kind == "" || len(r.Chain) == 0 || r.Chain[len(r.Chain)-1] != r.Source.Profile):
			t.Errorf("resolved %+v", r)
		}
	})
}

// unowned lists the lines of a text that do not belong to a profile's key.
func unowned(text, profile, key string) []string {
	f := scanFile("config", text, false)
	owned := make(map[int]bool)
	for i := range f.sections {
		if s := &f.sections[i]; s.kind == sectionProfile && s.name == profile {
			for _, o := range f.options(s) {
				for _, l := range o.lines {
					owned[l[0]] = o.key == key
				}
			}
		}
	}
	var lines []string
	for pos := 0; pos < len(text); {
		line, next := f.cutLine(pos)
		if !owned[pos] {
			lines = append(lines, line)
		}
		pos = next
	}
	return lines
}

func FuzzEdit(f *testing.F) {
	for _, text := range fuzzTexts {
		f.Add(text, "default", "region", "y")
		f.Add(text, "a", "k", "new # value")
		f.Add(text, "a b", "s3", "")
	}
	f.Fuzz(func(t *testing.T, text, name, key, value string) {
		d := NewDocument("config", text, false)
		existed, hadKey := d.Has(name), false
		if existed {
			_, hadKey = d.Get(name, key)
		}
		before := said(t, text)
		if err := d.Set(name, key, value); err != nil {
			if d.Text() != text || !errors.Is(err, ErrUnsupported) {
				t.Fatalf("error %v, text changed: %v", err, d.Text() != text)
			}
			return
		}
		edited := d.Text()
		if got, ok := d.Get(name, key); !ok || got != value {
			t.Fatalf("reads back %q, %v", got, ok)
		}
		after := said(t, edited)
		for _, m := range []map[string]map[string]string{before, after} {
			id := "1" + name
			m[id] = maps.Clone(m[id])
			if delete(m[id], key); len(m[id]) == 0 {
				delete(m, id)
			}
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("something else changed: %v, before %v", after, before)
		}
		if existed {
			if was, is := unowned(text, name, key), unowned(edited, name, key); !slices.Equal(was, is) {
				t.Fatalf("other lines changed: %q, before %q", is, was)
			}
		} else if !strings.HasPrefix(edited, text) {
			t.Fatalf("the text before a new section changed: %q", edited)
		}
		if err := d.Set(name, key, value); err != nil || d.Text() != edited {
			t.Fatalf("setting it again: %v, %q", err, d.Text())
		}
		if err := d.Remove(name, key); err != nil {
			return
		}
		if _, ok := d.Get(name, key); ok {
			t.Fatal("removed and still there")
		}
		if existed && !hadKey && strings.TrimRight(d.Text(), "\r\n") != strings.TrimRight(text, "\r\n") {
			t.Fatalf("set and removed: %q, before %q", d.Text(), text)
		}
	})
}

package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// unknown is the error of a profile that is in no file and holds no key;
// from is the profile that refers to it, "" for the user.
func (w *walker) unknown(name, from string) *Error {
	unknown := &unknownProfile{w: w, name: name, from: from}
	e := &Error{Profile: cmp.Or(from, name), Err: ErrUnknownProfile, unknown: unknown}
	if n := len(w.views); n > 0 && w.views[n-1].name == from {
		if at := w.views[n-1].entry("source_profile"); at.text == name && at.file != nil {
			e.File, e.Line, unknown.sourced = at.file.path, at.line, true
		}
	}
	return e
}

// unknownProfile makes an error's text when it is read: that looks at every
// profile, and who resolves all of them reads few of their errors.
type unknownProfile struct {
	w          *walker
	name, from string
	sourced    bool // from names it as its source_profile
}

// text is one line, with the names that are close.
func (e *unknownProfile) text() string {
	text := fmt.Sprintf("%v %q", ErrUnknownProfile, e.name)
	if e.from != "" {
		text += fmt.Sprintf(", which profile %q refers to", e.from)
	}
	near := Near(e.name, append(e.w.config.Names(), e.w.keyNames()...))
	for i, n := range near {
		near[i] = fmt.Sprintf("%q", n)
	}
	if len(near) > 0 {
		text += " (did you mean " + strings.Join(near, " or ") + "?)"
	}
	return text
}

// remedy is what to do.
func (e *unknownProfile) remedy() string {
	switch slip := e.w.config.unknownRemedy(e.name); {
	case slip != "":
		return slip
	case e.sourced:
		return fmt.Sprintf("write in [profile %s]: source_profile = %s", e.from, e.w.sourceName(e.from))
	}
	return "`groat list --profiles` shows the profiles; `groat add PROFILE` stores a key under a new name"
}

func (w *walker) keyNames() []string {
	if w.options.KeyNames == nil {
		return nil
	}
	return w.options.KeyNames()
}

// unknownRemedy finds the usual slip: a section without the word profile.
func (c *Config) unknownRemedy(name string) string {
	for _, f := range c.files {
		for i := range f.sections {
			s := &f.sections[i]
			if s.kind != sectionOther {
				continue
			}
			if s.name == name {
				return fmt.Sprintf("in %s line %d, write [profile %s] instead of [%s]", f.path, s.line, name, s.name)
			}
			if strings.TrimPrefix(s.name, "profile ") == name {
				return fmt.Sprintf("in %s line %d, write the name in double quotes: [profile %q]", f.path, s.line, name)
			}
		}
	}
	return ""
}

// Near gives up to three of the names that are close to the one asked for.
func Near(name string, all []string) []string {
	distance := map[string]int{}
	var names []string
	asked := strings.ToLower(name)
	limit := max(2, len([]rune(name))/3)
	for _, n := range all {
		lower := strings.ToLower(n)
		d := limit + 1
		if diff := len(lower) - len(asked); diff <= limit*4 && -diff <= limit*4 {
			d = levenshtein.ComputeDistance(asked, lower)
		}
		if len(asked) >= 3 && (strings.Contains(lower, asked) || (len(lower) >= 3 && strings.Contains(asked, lower))) {
			d = min(d, limit)
		}
		if _, seen := distance[n]; !seen && n != name && d <= limit && d < len([]rune(name)) {
			distance[n] = d
			names = append(names, n)
		}
	}
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(distance[x], distance[y]) })
	return names[:min(3, len(names))]
}

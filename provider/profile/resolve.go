package profile

import (
	"fmt"
	"slices"
	"strings"

	"groat/vault/fault"
)

// Resolve decides everything that the files decide about a profile: its
// chain of roles, where the first credentials come from, and the settings of
// each step. It reads no environment but o.Getenv's and asks no network.
//
// Errors are *Error and wrap ErrUnknownProfile, ErrCycle, ErrMalformed,
// ErrUnsupported or ErrUntrusted; an error of HoldsKey is returned as it is.
func (c *Config) Resolve(name string, o ResolveOptions) (*Resolved, error) {
	if err := c.Fatal(); err != nil {
		return nil, err
	}
	w := &walker{config: c, options: o}
	if err := w.walk(name); err != nil {
		return nil, err
	}
	return w.resolved()
}

// walker follows a profile to where its credentials come from.
type walker struct {
	config     *Config
	options    ResolveOptions
	views      []*view // first the one asked for, last the source
	passedOver []*view // sources that a role profile with its own key names: only for what it inherits
	source     Source
	warnings   []string
	refused    error // the first line that was needed and is not obeyed
}

// view is a profile with what it includes.
type view struct {
	name   string
	bodies []*body // own first; the nearer one's value wins
	// aliasOf reports that the profile before this one in the walk only
	// stands for it, so that its settings count as this one's.
	aliasOf bool
	isRole  bool
	holds   bool // the vault holds a key under this name
}

// entry is the nearest value of a key.
func (v *view) entry(key string) entry {
	for _, b := range v.bodies {
		if e := b.values[key]; e.text != "" {
			return e
		}
	}
	return entry{}
}

func (v *view) get(key string) string { return v.entry(key).text }

// own is the value in the profile's own sections: keys are never included.
func (v *view) own(key string) string { return v.bodies[0].get(key) }

// errorf is an error at the key's place.
func (v *view) errorf(key string, sentinel error, format string, args ...any) *Error {
	e := &Error{Profile: v.name, Err: fault.New(fmt.Sprintf(format, args...), "", sentinel)}
	if at := v.entry(key); at.file != nil {
		e.File, e.Line = at.file.path, at.line
	}
	return e
}

// maxChain bounds the profiles on the way to the first credentials. Each may
// be a role and so a call to AWS, and an SDK waits for a minute in all.
const maxChain = 32

// walk visits profile after profile until one says where its credentials
// come from.
func (w *walker) walk(name string) error {
	next, alias, from := name, false, ""
	for {
		if err := w.checkCycle(next); err != nil {
			return err
		}
		if len(w.views) == maxChain {
			return &Error{Profile: name, Err: fault.New(fmt.Sprintf("the chain of profiles that begins at %s is longer than %d", name, maxChain), "", ErrUnsupported),
				Remedy: "name a source_profile that is nearer to the access key"}
		}
		v, err := w.view(next, from)
		if err != nil {
			return err
		}
		v.aliasOf = alias
		w.views = append(w.views, v)
		from = next
		if next, alias, err = w.visit(v); err != nil || next == "" {
			return err
		}
	}
}

// checkCycle names the whole circle when a profile comes back.
func (w *walker) checkCycle(next string) error {
	i := slices.IndexFunc(w.views, func(v *view) bool { return v.name == next })
	if i < 0 {
		return nil
	}
	return cycleError(append(w.chain()[i:], next))
}

func cycleError(names []string) error {
	return &Error{Profile: names[0], Err: fmt.Errorf("%w: %s", ErrCycle, strings.Join(names, " → ")),
		Remedy: "one of them must hold the key or name another source"}
}

func (w *walker) chain() []string {
	names := make([]string, len(w.views))
	for i, v := range w.views {
		names[i] = v.name
	}
	return names
}

// view reads a profile and what it includes. A profile without a section is
// only known when the vault holds its key.
func (w *walker) view(name, from string) (*view, error) {
	own := w.config.profile(name)
	v := &view{name: name, bodies: []*body{own}}
	holds, err := w.holdsKey(name)
	if err != nil {
		return nil, err
	}
	v.holds = holds
	if !own.exists && !holds {
		return nil, w.unknown(name, from)
	}
	return v, w.include(v)
}

func (w *walker) holdsKey(name string) (bool, error) {
	if w.options.HoldsKey == nil {
		return false, nil
	}
	return w.options.HoldsKey(name)
}

// include adds the bodies that include_profile names, the nearer first.
func (w *walker) include(v *view) error {
	names := []string{v.name}
	for b := v.bodies[0]; ; {
		if len(b.problems) > 0 {
			return b.problems[0]
		}
		key := "include_profile"
		if !b.has(key) && b.has("parent_profile") {
			key = "parent_profile"
			w.warnings = append(w.warnings, fmt.Sprintf("profile %q: parent_profile is aws-vault's old word: write include_profile = %s", names[len(names)-1], b.get(key)))
		}
		next := b.get(key)
		if next == "" || next == names[len(names)-1] {
			return nil
		}
		names = append(names, next)
		if i := slices.Index(names, next); i < len(names)-1 {
			return cycleError(names[i:])
		}
		if b = w.config.profile(next); !b.exists {
			err := w.unknown(next, names[len(names)-2])
			err.Profile = v.name
			return err
		}
		v.bodies = append(v.bodies, b)
	}
}

// visit decides where the profile's credentials come from: it sets the
// source and returns "", or returns the profile to go on with.
func (w *walker) visit(v *view) (next string, alias bool, err error) {
	webIdentity := v.get("web_identity_token_file") != "" || v.get("web_identity_token_process") != ""
	switch {
	case v.holds: // a profile's own key wins over whatever else it says
		v.isRole = v.get("role_arn") != ""
		w.setSource(v, SourceKey)
		return "", false, w.lookBeyond(v)
	case webIdentity:
		return "", false, w.webIdentity(v)
	case v.get("role_arn") != "":
		v.isRole = true
		return w.roleSource(v)
	}
	next, alias, err = w.ownSource(v)
	if next != "" || err != nil || w.source.Kind != "" {
		return next, alias, err
	}
	if source := v.get("source_profile"); source != "" && source != v.name {
		return source, false, nil // no role of its own: the source's credentials
	}
	if v.get("credential_source") != "" {
		return "", false, w.credentialSource(v)
	}
	w.setSource(v, SourceNone)
	return "", false, nil
}

// lookBeyond follows the sources that a role profile with its own key names.
// Their credentials are not used, but serial, process and region are
// inherited.
func (w *walker) lookBeyond(v *view) error {
	if !v.isRole {
		return nil
	}
	seen := w.chain()
	for name := v.get("source_profile"); !slices.Contains(seen, name); {
		own := w.config.profile(name)
		if !own.exists {
			return nil
		}
		seen = append(seen, name)
		v = &view{name: name, bodies: []*body{own}}
		if err := w.include(v); err != nil {
			return err
		}
		w.passedOver = append(w.passedOver, v)
		source, alias := v.get("source_profile"), w.alias(v)
		if name = source; alias != "" && (source == "" || v.get("role_arn") == "") {
			name = alias
		}
	}
	return nil
}

// roleSource finds the source of a role profile that holds no key.
func (w *walker) roleSource(v *view) (next string, alias bool, err error) {
	source := v.get("source_profile")
	switch named := v.get("credential_source") != ""; {
	case named && source != "":
		return "", false, v.errorf("credential_source", ErrUnsupported, "profile %q has both source_profile and credential_source", v.name)
	case named:
		return "", false, w.credentialSource(v)
	case source != "" && source != v.name:
		return source, false, nil
	}
	next, _, err = w.ownSource(v)
	if next != "" || err != nil || w.source.Kind != "" {
		return next, false, err
	}
	if source == v.name {
		return "", false, cycleError([]string{v.name, v.name})
	}
	e := v.errorf("role_arn", ErrMalformed, "profile %q has a role but no source_profile, so nothing can assume it", v.name)
	e.Remedy = fmt.Sprintf("add to that profile: source_profile = %s", w.sourceName(v.name))
	return "", false, e
}

// sourceName is what to write after source_profile: the one profile that is
// known to hold a key, else a placeholder.
func (w *walker) sourceName(role string) string {
	if names := w.keyNames(); len(names) == 1 && names[0] != role {
		return names[0]
	}
	return "PROFILE, the one whose access key assumes the role"
}

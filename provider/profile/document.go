package profile

import (
	"fmt"
	"maps"
	"strings"

	"groat/vault/fault"
)

// Document is the text of a config or credentials file while it is edited.
// Every byte that an edit does not own stays as it is, and every edit is
// read back before it counts: it must have changed the one key it was meant
// to change, as this package reads the file, and nothing else.
type Document struct {
	path        string // for messages
	credentials bool
	text        string
}

// NewDocument takes the text of a file; credentials says that its sections
// bear bare profile names.
func NewDocument(path, text string, credentials bool) *Document {
	return &Document{path: path, text: text, credentials: credentials}
}

// Text is the text as edited so far.
func (d *Document) Text() string { return d.text }

// Get is the value of a profile's key in this file, and whether it is there.
func (d *Document) Get(profile, key string) (string, bool) {
	e, ok := d.config().profile(profile).values[key]
	return e.text, ok
}

// Has reports whether this file has a section for the profile.
func (d *Document) Has(profile string) bool { return d.config().Exists(profile) }

func (d *Document) scan() *file { return scanFile(d.path, d.text, d.credentials) }

func (d *Document) config() *Config {
	return &Config{files: []*file{d.scan()}, bodies: make(map[string]*body)}
}

// Set gives a profile's key a value: in the line that has it (the last one,
// if it is there twice), else in a new line under the profile's last one,
// else in a new section at the end of the file.
func (d *Document) Set(profile, key, value string) error {
	if old, ok := d.Get(profile, key); ok && old == value {
		return nil
	}
	if strings.ContainsAny(value, "\n\r") {
		return d.refuse(profile, "a value of %s cannot have two lines", key)
	}
	f := d.scan()
	var at *section
	var found *option
	for i := range f.sections {
		s := &f.sections[i]
		if s.kind != sectionProfile || s.name != profile {
			continue
		}
		at = s
		for _, o := range f.options(s) {
			if o.key == key {
				found = &o
			}
		}
	}
	var text string
	switch {
	case found != nil:
		text = replaceValue(d.text, found, value)
	case at != nil:
		text = f.insertOption(at, f.mannerOf(at), key, value)
	case strings.ContainsAny(profile, "#;[]\r\n"): // readers differ on these
		return d.refuse(profile, "no section can be named %q", profile)
	default:
		text = f.appendSection(d.header(profile), key, value)
	}
	return d.accept(text, profile, map[string]*string{key: &value})
}

// Remove takes a profile's key out of the file, wherever it stands; a
// missing one is no error.
func (d *Document) Remove(profile, key string) error {
	f := d.scan()
	var cuts [][2]int
	for i := range f.sections {
		s := &f.sections[i]
		if s.kind != sectionProfile || s.name != profile {
			continue
		}
		for _, o := range f.options(s) {
			if o.key == key {
				cuts = append(cuts, o.lines...)
			}
		}
	}
	if len(cuts) == 0 {
		return nil
	}
	return d.accept(cutRanges(d.text, cuts), profile, map[string]*string{key: nil})
}

// header is the section header of a profile, quoted where botocore would
// not read the bare name.
func (d *Document) header(profile string) string {
	if d.credentials {
		return "[" + profile + "]"
	}
	if profile == "default" {
		return "[default]"
	}
	if strings.ContainsAny(profile, " \"'\\") || strings.ContainsFunc(profile, isBlank) {
		profile = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(profile) + `"`
	}
	return "[profile " + profile + "]"
}

// accept takes the new text if it reads as it should: the profile's keys as
// wanted (nil: missing), all else as before.
func (d *Document) accept(text, profile string, wanted map[string]*string) error {
	want := d.config().everything()
	target := profileID(profile)
	if want[target] == nil {
		want[target] = make(map[string]string)
	}
	for k, v := range wanted {
		if delete(want[target], k); v != nil {
			want[target][k] = *v
		}
	}
	return d.acceptAs(text, profile, want)
}

// acceptAs takes the new text if it says exactly what is wanted, and brings
// no new malformed lines.
func (d *Document) acceptAs(text, profile string, want map[string]map[string]string) error {
	next := NewDocument(d.path, text, d.credentials)
	after := next.config()
	got := after.everything()
	for _, m := range []map[string]map[string]string{want, got} {
		maps.DeleteFunc(m, func(_ string, keys map[string]string) bool { return len(keys) == 0 })
	}
	if !maps.EqualFunc(want, got, maps.Equal) || len(d.config().Problems()) != len(after.Problems()) {
		return d.refuse(profile, "the change cannot be written so that it reads back the same")
	}
	d.text = text
	return nil
}

// profileID names a profile in everything.
func profileID(name string) string { return sectionID(sectionProfile, name) }

func sectionID(kind sectionKind, name string) string { return string(rune('0'+kind)) + name }

// everything is what the files say: kind and name → key → value.
func (c *Config) everything() map[string]map[string]string {
	all := make(map[string]map[string]string)
	for _, f := range c.files {
		for i := range f.sections {
			s := &f.sections[i]
			id := sectionID(s.kind, s.name)
			if all[id] != nil {
				continue
			}
			all[id] = make(map[string]string)
			for k, e := range c.body(s.kind, s.name).values {
				all[id][k] = e.text
			}
		}
	}
	return all
}

func (d *Document) refuse(profile, format string, args ...any) error {
	return &Error{File: d.path, Profile: profile, Err: fault.New(fmt.Sprintf(format, args...), "", ErrUnsupported),
		Remedy: "edit " + d.path + " by hand"}
}

package profile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"groat/vault/fault"
	"groat/vault/files"
)

// Undo is what Configure must remember to restore a profile's lines as they
// were. It holds the lines that moved and those that were added, and never a
// line that stays where it is: an access key is in none of them.
type Undo struct {
	File       string      `json:"file"` // the config file
	Profile    string      `json:"profile"`
	Moved      []MovedLine `json:"moved,omitempty"`
	Region     string      `json:"region,omitempty"`      // the region that was written down
	NewProfile string      `json:"new_profile,omitempty"` // of the section that was added
	NewSection string      `json:"new_section,omitempty"` // its text, with the line ends and the blank line before it
	NoFinalEnd bool        `json:"no_final_end,omitempty"`
}

// MovedLine is a line that left the profile's sections.
type MovedLine struct {
	Before int    `json:"before"` // how many lines that stayed stood above it
	Text   string `json:"text"`   // with its line end
}

// Unconfigure restores the lines of a configured profile. Without undo data
// (nil) the lines of NAME-groat move back to the end of the profile. It
// returns a note if something was left for the user to look at.
//
// An error wraps ErrConflict when the profile was changed since in a way
// that restoring its lines would undo too.
func Unconfigure(d *Document, name string, u *Undo, o ConfigureOptions) (note string, err error) {
	line, ok := d.Get(name, "credential_process")
	asked, self := "", false
	if ok && o.SelfProfile != nil {
		asked, _, self = o.SelfProfile(line)
	}
	if !self || (asked != name && asked != name+ConfiguredSuffix) {
		return "", &Error{Profile: name, File: d.path, Err: fault.New(fmt.Sprintf("profile %q has no credential_process line of groat's to undo", name), "", ErrUnsupported)}
	}
	if u == nil {
		u = d.guessUndo(name, asked)
	}
	for _, m := range u.Moved {
		key, _, ok := splitOption(strings.TrimLeftFunc(m.Text, isBlank))
		if _, again := d.Get(name, key); ok && again && key != "credential_process" {
			return "", d.conflict(name, "profile %q has a new %s since it was configured", name, key)
		}
	}
	text := d.withoutSection(u)
	if left := NewDocument(d.path, text, false).Has(u.NewProfile); left && u.NewProfile != name {
		note = fmt.Sprintf("profile %s was changed since, and is left in %s", u.NewProfile, d.path)
	}
	text = withoutKey(d.path, text, name, "credential_process")
	if region, _ := d.Get(name, "region"); u.Region != "" && region == u.Region {
		text = withoutKey(d.path, text, name, "region")
	}
	text = restoreLines(d.path, text, u)
	return note, d.acceptUndo(text, u)
}

func (d *Document) conflict(name, format string, args ...any) error {
	return &Error{Profile: name, File: d.path, Err: fmt.Errorf("%w: "+format, append([]any{ErrConflict}, args...)...), Remedy: "edit " + d.path + " by hand"}
}

// withoutSection cuts the section that was added, if it is there unchanged.
func (d *Document) withoutSection(u *Undo) string {
	if u.NewSection == "" || strings.Count(d.text, u.NewSection) != 1 {
		return d.text
	}
	before, after, _ := strings.Cut(d.text, u.NewSection)
	return before + after
}

// withoutKey cuts the lines of a profile's key.
func withoutKey(path, text, name, key string) string {
	f := scanFile(path, text, false)
	var cuts [][2]int
	for _, l := range f.profileLines(name) {
		if l.key == key {
			cuts = append(cuts, [2]int{l.from, l.to})
		}
	}
	return cutRanges(text, cuts)
}

// restoreLines puts the moved lines back between the lines that stayed, by
// their number from the top: lines added since stand below.
func restoreLines(path, text string, u *Undo) string {
	f := scanFile(path, text, false)
	lines := f.profileLines(u.Profile)
	if len(lines) == 0 || len(u.Moved) == 0 && !u.NoFinalEnd {
		return text
	}
	var b strings.Builder
	pos := 0
	for _, m := range u.Moved {
		at := lines[len(lines)-1].to
		if m.Before < len(lines) {
			at = lines[m.Before].from
		}
		b.WriteString(text[pos:at])
		pos = at
		if b.Len() > 0 && !endsLine(b.String()) {
			b.WriteString(f.lineEnd(at))
		}
		if line := m.Text; at < len(text) {
			b.WriteString(withEnd(line, f.lineEnd(at)))
		} else {
			b.WriteString(line)
		}
	}
	b.WriteString(text[pos:])
	out := b.String()
	if last := lines[len(lines)-1]; u.NoFinalEnd && last.to == len(text) {
		for _, end := range []string{"\r\n", "\n", "\r"} {
			if strings.HasSuffix(out, end) {
				return strings.TrimSuffix(out, end)
			}
		}
	}
	return out
}

// acceptUndo checks that nothing but the two profiles has changed.
func (d *Document) acceptUndo(text string, u *Undo) error {
	want, got := d.config().everything(), NewDocument(d.path, text, d.credentials).config().everything()
	for _, name := range []string{u.Profile, u.NewProfile} {
		id := profileID(name)
		if delete(want, id); got[id] != nil {
			want[id] = got[id]
		}
	}
	return d.acceptAs(text, u.Profile, want)
}

// guessUndo makes undo data from what is in the file.
func (d *Document) guessUndo(name, asked string) *Undo {
	u := &Undo{Profile: name}
	if asked == name {
		return u
	}
	f := d.scan()
	u.NewProfile = asked
	s := f.lastSection(asked)
	if s == nil {
		return u
	}
	u.NewSection = f.text[s.headStart:f.lastWritten(s)]
	for _, l := range f.profileLines(asked) {
		switch {
		case slices.Contains(chainKeys, l.key):
			u.Moved = append(u.Moved, MovedLine{Before: 1, Text: f.text[l.from:l.to]})
		case l.key != "" && !slices.Contains(callKeys, l.key):
			u.NewSection = "" // somebody's own line: the section stays
		}
	}
	return u
}

// UndoFile keeps undo data by profile, as JSON.
type UndoFile struct {
	Path string
	disk files.Disk
}

type undoRecords struct {
	Version int     `json:"version"`
	Records []*Undo `json:"records"`
}

// Load reads the undo data of a config file by profile; a missing file has none.
func (f UndoFile) Load(config string) (map[string]*Undo, error) {
	found := make(map[string]*Undo)
	var r undoRecords
	err := f.state().read(&r)
	for _, u := range r.Records {
		if u.File == config {
			found[u.Profile] = u
		}
	}
	return found, err
}

func (f UndoFile) state() stateFile {
	return stateFile{path: f.Path, what: "the undo data", disk: f.disk}
}

// Save replaces the undo data of these profiles of a config file; nil forgets
// them. The file is private to its owner.
func (f UndoFile) Save(ctx context.Context, config string, changed map[string]*Undo) error {
	var r undoRecords
	return f.state().change(ctx, &r, func() {
		r.Version = stateFormat
		r.Records = slices.DeleteFunc(r.Records, func(u *Undo) bool {
			_, replaced := changed[u.Profile]
			return u.File == config && replaced
		})
		for _, u := range changed {
			if u != nil {
				r.Records = append(r.Records, u)
			}
		}
		slices.SortFunc(r.Records, func(a, b *Undo) int { return strings.Compare(a.File+"\x00"+a.Profile, b.File+"\x00"+b.Profile) })
	})
}

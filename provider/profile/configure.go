package profile

import (
	"fmt"
	"slices"
	"strings"

	"groat/vault/fault"
	"groat/vault/files"
)

// ConfiguredSuffix is added to a role profile's name for the profile that
// takes over its keys.
const ConfiguredSuffix = "-groat"

// chainKeys are the keys that say how credentials are made. SDKs refuse or
// ignore a credential_process beside them, so they move.
var chainKeys = []string{
	"role_arn", "source_profile", "credential_source", "external_id", "mfa_serial", "mfa_process", "role_session_name",
	"duration_seconds", "web_identity_token_file", "web_identity_token_process", "sso_session", "sso_start_url", "sso_region",
	"sso_account_id", "sso_role_name", "sso_registration_scopes", "login_session", "session_tags", "transitive_session_tags", "source_identity",
	"policy", "policy_arns", "confirm", "agent", "include_profile", "parent_profile", "credential_process",
}

// rivalKeys are those of them that an SDK looks at before a
// credential_process, or does not take beside one.
var rivalKeys = []string{
	"source_profile", "credential_source", "web_identity_token_file", "sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region", "login_session",
}

// callKeys say where calls go. The SDK needs them where they are, and this
// tool needs them where the role is, so that the steps stay the same ones.
var callKeys = []string{
	"region", "endpoint_url", "services", "sts_regional_endpoints", "use_fips_endpoint", "use_dualstack_endpoint", "ca_bundle", "ignore_configured_endpoint_urls",
}

// ConfigureOptions are what Configure needs to know of this tool.
type ConfigureOptions struct {
	// Line is the credential_process line that asks this tool for a profile.
	Line func(name string) (string, error)
	// SelfProfile recognises such a line, as in ResolveOptions.
	SelfProfile func(line string) (name string, plain, ok bool)
	// HoldsKey reports whether the vault holds a key under exactly this name.
	HoldsKey func(name string) (bool, error)
}

// Configure changes a profile so that SDKs ask this tool for its
// credentials. A profile that holds a key gets a credential_process line. The
// keys of any other move to [profile NAME-groat], and the profile keeps its
// other lines and gets a line that asks for NAME-groat. A region that came
// from a source or an included profile is written down too, because SDKs do
// not look there. A profile that is configured already is left alone: the
// undo data are nil then.
//
// c is the whole configuration, d the document of its config file.
func Configure(c *Config, d *Document, name string, o ConfigureOptions) (*Undo, error) {
	if e, ok := c.profile(name).values["credential_process"]; ok && o.SelfProfile != nil {
		if asked, _, self := o.SelfProfile(e.text); self && (asked == name || asked == name+ConfiguredSuffix) {
			return nil, nil
		}
	}
	r, err := c.Resolve(name, ResolveOptions{HoldsKey: o.HoldsKey, SelfProfile: o.SelfProfile, Looking: true})
	if err != nil {
		return nil, err
	}
	holds := r.Source.Kind == SourceKey && r.Source.Profile == name
	if err := configurable(c, d, r, holds); err != nil {
		return nil, err
	}
	u := &Undo{File: d.path, Profile: name, NoFinalEnd: d.text != "" && !endsLine(d.text)}
	if c.Value(name, "region") == "" {
		u.Region = r.Region
	}
	if holds {
		return u, configureKey(d, u, o)
	}
	return u, configureChain(d, u, o)
}

// configurable refuses what would not work, or would change its meaning.
func configurable(c *Config, d *Document, r *Resolved, holds bool) error {
	name := r.Name
	b := c.profile(name)
	place := func(key, remedy, format string, args ...any) error {
		e := &Error{Profile: name, Err: fault.New(fmt.Sprintf(format, args...), "", ErrUnsupported), Remedy: remedy}
		if at := b.values[key]; at.file != nil {
			e.File, e.Line = at.file.path, at.line
		}
		return e
	}
	for _, key := range secretKeys {
		if b.has(key) && b.has(ExportedKey) {
			return place(key, "run: groat remove --sessions-only "+files.Word(name), "profile %q has exported session credentials, which SDKs would go on using", name)
		}
		if b.has(key) {
			remedy := "run: groat import --from credentials-file --delete-source " + files.Word(name)
			if !b.values[key].file.credentials {
				remedy = "run `groat add " + files.Word(name) + "` to store it in the vault, then delete the lines"
			}
			return place(key, remedy,
				"profile %q has a plaintext key, which SDKs would go on using", name)
		}
	}
	for _, key := range append(slices.Clone(chainKeys), "region") {
		if at := b.values[key]; at.text != "" && at.file.credentials {
			return place(key, "move the line to the config file", "profile %q has %s in the credentials file", name, key)
		}
	}
	switch {
	case holds && len(r.Roles) > 0:
		return place("role_arn", "store the key under another name and make that the source_profile",
			"profile %q holds a key and names a role, which SDKs cannot request in one call", name)
	case holds && b.has("credential_process"):
		return place("credential_process", "remove that line first", "profile %q has a credential_process of another tool", name)
	case holds:
		if i := slices.IndexFunc(rivalKeys, b.has); i >= 0 {
			return place(rivalKeys[i], "remove that line: groat ignores it once a key is in the vault",
				"profile %q holds a key and has %s, which SDKs would use instead of a credential_process, or refuse beside it", name, rivalKeys[i])
		}
		return nil
	case r.Source.Kind == SourceNone && r.Source.Profile == name:
		return place("role_arn", "run: groat add "+files.Word(name), "profile %q has no key in the vault and names no source of credentials", name)
	case b.get("source_profile") == name:
		return place("source_profile", "remove that line: it has no effect",
			"profile %q names itself as its source, which it would no longer be", name)
	case d.Has(name + ConfiguredSuffix):
		return place("", "rename it first", "profile %q already exists", name+ConfiguredSuffix)
	}
	for _, other := range c.Names() {
		if c.Value(other, "include_profile") == name {
			return &Error{Profile: name, Err: fault.New(fmt.Sprintf("profile %q includes %q, whose keys would move", other, name), "", ErrUnsupported),
				Remedy: fmt.Sprintf("put the shared keys into a profile of their own, and include that in %q and %q", other, name)}
		}
	}
	return nil
}

// configureKey adds the line to the profile whose key the vault holds.
func configureKey(d *Document, u *Undo, o ConfigureOptions) error {
	line, err := o.Line(u.Profile)
	if err != nil {
		return err
	}
	next := NewDocument(d.path, d.text, d.credentials)
	had := d.Has(u.Profile)
	if u.Region != "" {
		if err := next.Set(u.Profile, "region", u.Region); err != nil {
			return err
		}
	}
	if err := next.Set(u.Profile, "credential_process", line); err != nil {
		return err
	}
	if !had {
		u.NewProfile, u.NewSection = u.Profile, strings.TrimPrefix(next.text, d.text)
	}
	d.text = next.text
	return nil
}

// configureChain moves the profile's chain keys to NAME-groat.
func configureChain(d *Document, u *Undo, o ConfigureOptions) error {
	u.NewProfile = u.Profile + ConfiguredSuffix
	line, err := o.Line(u.NewProfile)
	if err != nil {
		return err
	}
	f := d.scan()
	var cuts [][2]int
	var section strings.Builder
	end := f.lineEnd(len(f.text))
	section.WriteString(end + d.header(u.NewProfile) + end)
	kept := 0
	for _, l := range f.profileLines(u.Profile) {
		text := f.text[l.from:l.to]
		moved := slices.Contains(chainKeys, l.key)
		if moved || slices.Contains(callKeys, l.key) {
			section.WriteString(withEnd(text, end))
		}
		if !moved {
			kept++
			continue
		}
		u.Moved = append(u.Moved, MovedLine{Before: kept, Text: text})
		cuts = append(cuts, [2]int{l.from, l.to})
	}
	m := f.mannerOf(f.lastSection(u.Profile))
	f = scanFile(d.path, cutRanges(f.text, cuts), false)
	m.indent = f.mannerOf(f.lastSection(u.Profile)).indent // as what is left above it
	if u.Region != "" {
		f = scanFile(d.path, f.insertOption(f.lastSection(u.Profile), m, "region", u.Region), false)
	}
	f = scanFile(d.path, f.insertOption(f.lastSection(u.Profile), m, "credential_process", line), false)
	at := f.lastWritten(f.lastSection(u.Profile))
	u.NewSection = section.String()
	if !endsLine(f.text[:at]) {
		u.NewSection = end + u.NewSection
	}
	return d.acceptAs(f.text[:at]+u.NewSection+f.text[at:], u.Profile, d.afterMove(u, line))
}

// afterMove is what the document must say when the chain keys have moved.
func (d *Document) afterMove(u *Undo, line string) map[string]map[string]string {
	want := d.config().everything()
	here, there := want[profileID(u.Profile)], make(map[string]string)
	for key, value := range here {
		moved := slices.Contains(chainKeys, key)
		if moved || slices.Contains(callKeys, key) {
			there[key] = value
		}
		if moved {
			delete(here, key)
		}
	}
	if u.Region != "" {
		here["region"] = u.Region
	}
	here["credential_process"] = line
	want[profileID(u.NewProfile)] = there
	return want
}

// withEnd is a line with an end.
func withEnd(line, end string) string {
	if endsLine(line) {
		return line
	}
	return line + end
}

// ownedLine is a line of a profile's sections and the key that it belongs
// to; "" for headers, comments, blank and malformed lines.
type ownedLine struct {
	from, to int
	key      string
}

// profileLines lists the lines of all sections of a profile, headers too.
func (f *file) profileLines(name string) []ownedLine {
	var lines []ownedLine
	for i := range f.sections {
		s := &f.sections[i]
		if s.kind != sectionProfile || s.name != name {
			continue
		}
		owner := make(map[int]string)
		for _, o := range f.options(s) {
			for _, l := range o.lines {
				owner[l[0]] = o.key
			}
		}
		for pos := s.headStart; pos < s.end; {
			_, next := f.cutLine(pos)
			lines = append(lines, ownedLine{pos, next, owner[pos]})
			pos = next
		}
	}
	return lines
}

// lastSection is the last section of a profile, or nil.
func (f *file) lastSection(name string) *section {
	for i := len(f.sections) - 1; i >= 0; i-- {
		if s := &f.sections[i]; s.kind == sectionProfile && s.name == name {
			return s
		}
	}
	return nil
}

package profile

import (
	"cmp"
	"slices"
	"strings"
)

// ExportedKey marks a section of the credentials file that holds session
// credentials which groat wrote there for tools that read nothing else. Its
// value is their expiration, or "never". Such a section is never a source of
// credentials for groat itself, and groat may replace it or take it out again.
const ExportedKey = "groat_exported"

// exportedKeys are the keys that such a section has of groat: the credentials
// and no more. A region there would go before the config file's, to SDKs and
// to groat itself, long after it was changed there.
var exportedKeys = []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", ExportedKey}

// SetExported writes session credentials into the profile's section. One
// that holds keys of another origin is left alone, with an error.
func (d *Document) SetExported(profile, id, secret, token, expiration string) error {
	if _, ours := d.Get(profile, ExportedKey); !ours {
		for _, key := range exportedKeys[:3] {
			if _, there := d.Get(profile, key); there {
				return d.refuse(profile, "the section [%s] already holds keys that came from somewhere else", profile)
			}
		}
	}
	for i, value := range []string{id, secret, token, cmp.Or(expiration, "never")} {
		if err := d.Set(profile, exportedKeys[i], value); err != nil {
			return err
		}
	}
	return nil
}

// DropExported takes out what SetExported wrote for the profiles that wanted
// names, and their sections where nothing else is left. It returns how many
// there were.
func (d *Document) DropExported(wanted func(profile string) bool) (int, error) {
	n := 0
	for _, profile := range d.config().Names() {
		if _, ours := d.Get(profile, ExportedKey); !ours || !wanted(profile) {
			continue
		}
		for _, key := range exportedKeys {
			if err := d.Remove(profile, key); err != nil {
				return n, err
			}
		}
		if err := d.dropEmpty(profile); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// dropEmpty takes the headers of a profile out if nothing but blank lines
// stands under them.
func (d *Document) dropEmpty(profile string) error {
	f := d.scan()
	var cuts [][2]int
	for i := range f.sections {
		s := &f.sections[i]
		if s.kind != sectionProfile || s.name != profile {
			continue
		}
		if trimBlank(f.text[s.start:s.end]) != "" {
			return nil
		}
		start := s.headStart
		if s.end == len(f.text) {
			// At the file's end goes the blank line, too, that set it off.
			for _, end := range []string{"\r\n", "\n"} {
				if before := f.text[:start]; strings.HasSuffix(before, end+end) {
					start -= len(end)
					break
				}
			}
		}
		cuts = append(cuts, [2]int{start, s.end})
	}
	slices.SortFunc(cuts, func(x, y [2]int) int { return x[0] - y[0] })
	return d.accept(cutRanges(d.text, cuts), profile, map[string]*string{})
}

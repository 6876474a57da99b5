package profile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"groat/vault/fault"
	"groat/vault/files"
)

// Line is a line that steers, as one profile obeys it: it runs a program,
// redirects calls or names a file that is sent.
type Line struct {
	Profile    string // that obeys it; an include_profile makes the line another's, too
	Key, Value string
	File       string
	Number     int // 1-based
}

// steeringKeys are the keys whose lines obey is asked about as they are.
var steeringKeys = []string{"mfa_process", "web_identity_token_process", "web_identity_token_file", "endpoint_url", "ca_bundle"}

// ID stands for the line's profile, key and value, wherever in a file they are.
func (l Line) ID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", l.Profile, l.Key, l.Value))
	return hex.EncodeToString(sum[:])
}

func lineOf(v *view, key string, e entry) Line {
	return Line{Profile: v.name, Key: key, Value: e.text, File: e.file.path, Number: e.line}
}

// obey is the value of a line that steers. It is refused on a Windows drive,
// as anybody may have written it, and where nobody trusts it.
func (w *walker) obey(v *view, key string, e entry) string {
	if e.text == "" || e.file == nil || w.refused != nil {
		return e.text
	}
	refused := &Error{File: e.file.path, Line: e.line, Profile: v.name}
	if drive := e.file.drive; drive != nil {
		refused.Err, refused.Remedy = fault.New(fmt.Sprintf("%s is not obeyed, as %v", key, drive), "", errors.Join(ErrUnsupported, drive)), drive.Remedy
	} else if w.config.trusts != nil {
		ok, err := w.config.trusts(lineOf(v, key, e))
		if ok && err == nil {
			return e.text
		}
		refused.Err, refused.Remedy = err, remedyUntrusted(e.file.path)
		if err == nil {
			refused.Err = fmt.Errorf("%w, so it is not obeyed: %s of profile %q", ErrUntrusted, key, v.name)
		}
	} else {
		return e.text
	}
	if w.options.Looking {
		w.warnings = append(w.warnings, refused.Error()+"; "+refused.Remedy)
		return e.text
	}
	w.refused = refused
	return e.text
}

// Steering lists the lines of a file that steer, each for every profile that
// would obey it, in the file's order.
func (c *Config) Steering(path string, self func(line string) (name string, plain, ok bool)) []Line {
	w := &walker{config: c, options: ResolveOptions{SelfProfile: self}}
	var lines []Line
	for _, name := range c.Names() {
		v := &view{name: name, bodies: []*body{c.profile(name)}}
		_ = w.include(v) // what is broken is not obeyed
		add := func(key string, e entry) {
			if e.text != "" && e.file.path == path {
				lines = append(lines, lineOf(v, key, e))
			}
		}
		for _, key := range steeringKeys {
			add(key, v.entry(key))
		}
		if _, plain, _ := w.selfProfile(v.get("credential_process")); !plain { // else it is followed, and runs nothing
			add("credential_process", v.entry("credential_process"))
		}
		add("sso_start_url", w.startURL(v))
		for service, e := range serviceURLs(c.body(sectionServices, v.get("services"))) {
			add(serviceKey(service), e)
		}
	}
	slices.SortStableFunc(lines, func(x, y Line) int {
		return cmp.Or(cmp.Compare(x.Number, y.Number), cmp.Compare(x.Profile, y.Profile))
	})
	return lines
}

// TrustFile remembers which lines of which files may steer, as hashes.
type TrustFile struct{ Path string }

type trustRecords struct {
	Version int                 `json:"version"`
	Files   map[string][]string `json:"files"` // absolute path → ID of each line
}

func (f TrustFile) state() stateFile {
	return stateFile{path: f.Path, what: "the record of trusted lines"}
}

// Load gives the IDs of the trusted lines by the absolute path of their file.
func (f TrustFile) Load() (map[string][]string, error) {
	var r trustRecords
	err := f.state().read(&r)
	return r.Files, err
}

// Save makes these the trusted lines of a file, and no others; none forgets
// the file.
func (f TrustFile) Save(ctx context.Context, file string, lines []Line) error {
	var r trustRecords
	return f.state().change(ctx, &r, func() {
		r.Version = stateFormat
		if r.Files == nil {
			r.Files = make(map[string][]string)
		}
		delete(r.Files, file)
		for _, l := range lines {
			r.Files[file] = append(r.Files[file], l.ID())
		}
	})
}

// remedyUntrusted is what to do about a line that is not trusted.
func remedyUntrusted(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return "to see the lines of that file that steer, and to trust them, run: groat trust " + files.Word(path)
}

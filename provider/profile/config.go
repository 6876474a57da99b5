package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"syscall"

	"groat/vault/files"
)

// LoadOptions names the files. A missing file is an empty one.
type LoadOptions struct {
	ConfigFile      string // "" = none
	CredentialsFile string // "" = none
	// ReadFile replaces the function ReadFile; nil = that one.
	ReadFile func(path string) ([]byte, error)
	// Trusts reports whether a line that steers is obeyed; nil = every one is.
	Trusts func(Line) (bool, error)
}

// Config is the scanned config and credentials file. Names, Exists and Value
// are safe for concurrent use, the rest is not.
type Config struct {
	files   []*file // config, then credentials: the later wins
	trusts  func(Line) (bool, error)
	mu      sync.Mutex // guards bodies and what find keeps
	bodies  map[string]*body
	lookups int
	index   map[string][]sectionRef // built when many profiles are asked for
}

type sectionRef struct {
	file *file
	at   int
}

// Load reads and scans the files. Malformed lines are no error here: they
// are errors of the profiles that they concern, when one is resolved.
func Load(o LoadOptions) (*Config, error) {
	read := o.ReadFile
	if read == nil {
		read = ReadFile
	}
	c := &Config{bodies: make(map[string]*body), trusts: o.Trusts}
	for i, path := range [2]string{o.ConfigFile, o.CredentialsFile} {
		if path == "" {
			continue
		}
		data, err := read(path)
		drive, err := verdict(err)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // HOME=/dev/null, as services have it
			continue
		}
		if errors.As(err, new(*Error)) {
			return nil, err
		}
		if err != nil {
			return nil, &Error{File: path, Err: fmt.Errorf("could not read the configuration: %w", accessError{err})}
		}
		f := scanFile(path, string(data), i == 1)
		f.drive = drive
		c.files = append(c.files, f)
	}
	return c, nil
}

// maxFile bounds a file: one with ten thousand profiles has two megabytes.
const maxFile = 32 << 20

// ReadFile reads a configuration file, by the rule for what steers.
func ReadFile(path string) ([]byte, error) { return files.Read(path, maxFile, files.Steering) }

// verdict parts what reading a file found. On a Windows drive under WSL it
// cannot be told who may have written it: its content came along, and only
// plain lines of it are obeyed. Whatever else others may have written is
// refused as a whole.
func verdict(err error) (drive *files.AccessError, refusal error) {
	var access *files.AccessError
	switch {
	case !errors.As(err, &access):
		return nil, err
	case access.Drive:
		return access, nil
	}
	return nil, &Error{File: access.Path, Err: fmt.Errorf("%w, so nothing in it is obeyed", accessError{access}), Remedy: access.Remedy}
}

// Names lists the profiles that have a section, each once, in the order of
// the files.
func (c *Config) Names() []string {
	var names []string
	seen := make(map[string]bool)
	for _, f := range c.files {
		for i := range f.sections {
			if s := &f.sections[i]; s.kind == sectionProfile && !seen[s.name] {
				seen[s.name] = true
				names = append(names, s.name)
			}
		}
	}
	return names
}

// Exists reports whether the profile has a section in either file.
func (c *Config) Exists(name string) bool { return c.profile(name).exists }

// Value is the profile's own value of a key as its sections write it, without
// inheritance; "" if it is missing.
func (c *Config) Value(profile, key string) string { return c.profile(profile).get(key) }

// Said counts the different values that a profile's key has in the files,
// where it stands more than once; the last one is what Value gives.
func (c *Config) Said(profile, key string) int {
	values := map[string]bool{}
	for _, ref := range c.find(sectionProfile, profile) {
		for _, o := range ref.file.options(&ref.file.sections[ref.at]) {
			if o.key == key {
				values[ref.file.text[o.valueStart:o.valueEnd]] = true
			}
		}
	}
	return len(values)
}

// Problems lists every malformed line of both files, for doctor; the first
// ones of each file concern all profiles.
func (c *Config) Problems() []*Error {
	var all []*Error
	for _, f := range c.files {
		if f.fatal != nil {
			all = append(all, f.fatal)
		}
	}
	for _, b := range c.everyBody() {
		all = append(all, b.problems...)
	}
	return all
}

// everyBody reads all sections, each name once, in the files' order.
func (c *Config) everyBody() []*body {
	var all []*body
	seen := make(map[*body]bool)
	for _, f := range c.files {
		for i := range f.sections {
			s := &f.sections[i]
			if b := c.body(s.kind, s.name); !seen[b] {
				seen[b] = true
				all = append(all, b)
			}
		}
	}
	return all
}

// Fatal is the first damage that concerns all profiles, or nil.
func (c *Config) Fatal() error {
	for _, f := range c.files {
		if f.fatal != nil {
			return f.fatal
		}
	}
	return nil
}

func (c *Config) profile(name string) *body { return c.body(sectionProfile, name) }

// linearLookups is how many names are searched for by walking the headers
// before an index pays for itself.
const linearLookups = 16

// body reads the sections of one kind and name, once.
func (c *Config) body(kind sectionKind, name string) *body {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := sectionID(kind, name)
	if b := c.bodies[id]; b != nil {
		return b
	}
	b := &body{}
	for _, ref := range c.find(kind, name) {
		b.addSection(ref.file, &ref.file.sections[ref.at])
	}
	b.settle()
	c.bodies[id] = b
	return b
}

func (c *Config) find(kind sectionKind, name string) []sectionRef {
	if c.lookups++; c.lookups > linearLookups {
		return c.indexed(kind, name)
	}
	var refs []sectionRef
	for _, f := range c.files {
		for i := range f.sections {
			if s := &f.sections[i]; s.kind == kind && s.name == name {
				refs = append(refs, sectionRef{f, i})
			}
		}
	}
	return refs
}

func (c *Config) indexed(kind sectionKind, name string) []sectionRef {
	if c.index == nil {
		c.index = make(map[string][]sectionRef)
		for _, f := range c.files {
			for i := range f.sections {
				s := &f.sections[i]
				c.index[s.name] = append(c.index[s.name], sectionRef{f, i})
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(c.index[name]), func(r sectionRef) bool {
		return r.file.sections[r.at].kind != kind
	})
}

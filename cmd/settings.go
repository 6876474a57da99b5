package cmd

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"groat/vault/fault"
	"groat/vault/files"
)

// settings resolves flags that were not given on the command line: first
// from GROAT_NAME in the injected environment, then from config.json. (kong's
// own loaders would put the file above the environment, read the process's
// environment behind the caller's back, and reach flags that are no settings.)
type settings struct {
	lookup func(string) (string, bool) // the injected environment
	path   string                      // of config.json; "" for none
	// homeless is why there is no such path, nor any other of ours.
	homeless error

	exempt bool // the command needs no settings and answers although they are broken
	loaded bool
	file   map[string]json.RawMessage
	names  []string          // of all settings
	from   map[string]string // flag name → place of its value; absent: command line or default
}

// errSetting marks a bad value in the environment, errConfigFile one in config.json.
var (
	errSetting    = fmt.Errorf("setting: %w", errUsage)
	errConfigFile = errors.New("config.json")
)

// settingError is a bad value of a setting, with its place.
func settingError(place, msg string, inFile bool, remedy string) error {
	class := errSetting
	if inFile {
		class = errConfigFile
	}
	return fault.New(place+": "+msg, remedy, class)
}

// unlockForSetting has no flag: it is a habit of the machine, not of one command.
const unlockForSetting = "unlock-for"

// Validate refuses names in config.json that no setting has: a misspelt
// "backend" must not silently mean the default.
func (s *settings) Validate(app *kong.Application) error {
	if s.exempt {
		return nil
	}
	s.names = append(settingNames(app.Node, nil), unlockForSetting, maxKeyAgeSetting, trustSetting, agentSetting)
	if err := s.load(); err != nil {
		return err
	}
	if len(s.file) == 0 {
		return nil
	}
	for name := range s.file {
		if !slices.Contains(s.names, strings.ReplaceAll(name, "_", "-")) {
			slices.Sort(s.names)
			return settingError(s.path, fmt.Sprintf("unknown setting %q (known: %s)", name, strings.Join(s.names, ", ")), true, "")
		}
	}
	return nil
}

func settingNames(n *kong.Node, names []string) []string {
	for _, f := range n.Flags {
		if f.Tag.Has("setting") && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	for _, child := range n.Children {
		names = settingNames(child, names)
	}
	return names
}

// Resolve gives kong the value of one flag, or nil.
func (s *settings) Resolve(k *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	node := k.Selected()
	s.exempt = node != nil && node.Tag.Has("nosettings")
	if s.exempt || !flag.Tag.Has("setting") {
		return nil, nil
	}
	v, place, inFile, err := s.value(flag.Name)
	if err != nil || place == "" {
		return nil, err
	}
	if err := checkValue(flag, v); err != nil {
		return nil, settingError(place, err.Error(), inFile, "")
	}
	s.from[flag.Name] = place
	return v, nil
}

// value is the setting's text from the environment, else from config.json,
// else from aws-vault's variables; place is empty when none has it. A variable that is set but empty is
// as good as unset.
func (s *settings) value(name string) (v, place string, inFile bool, err error) {
	env := "GROAT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	if v, ok := s.lookup(env); ok && v != "" {
		return v, env, false, nil
	}
	if err := s.load(); err != nil {
		return "", "", false, err
	}
	raw, ok := s.file[name]
	if !ok {
		raw, ok = s.file[strings.ReplaceAll(name, "-", "_")]
	}
	if !ok {
		v, place = s.awsVaultValue(name)
		return v, place, false, nil
	}
	place = fmt.Sprintf("%s: %q", s.path, name)
	var decoded any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&decoded); err != nil {
		return "", "", false, settingError(place, "not valid JSON", true, "")
	}
	switch value := decoded.(type) {
	case string:
		return value, place, true, nil
	case bool:
		return strconv.FormatBool(value), place, true, nil
	case json.Number:
		return value.String(), place, true, nil
	}
	return "", "", false, settingError(place, "must be a string, a number, true or false", true, "")
}

// checkValue says what is wrong with v in words that do not speak of flags.
func checkValue(flag *kong.Flag, v string) error {
	if flag.Enum != "" {
		if allowed := flag.EnumSlice(); !slices.Contains(allowed, v) {
			return notOneOf(v, allowed)
		}
	}
	if flag.IsBool() {
		if _, err := strconv.ParseBool(v); err != nil {
			return fmt.Errorf("%q is neither true nor false", v)
		}
	}
	if u, ok := flag.Target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(v))
	}
	return nil
}

// notOneOf refuses a word, which one of the allowed ones should have been.
func notOneOf(word string, allowed []string) error {
	return fmt.Errorf("%q is not one of %s", word, strings.TrimPrefix(strings.Join(allowed, ", "), ", ")) // "" may be the default
}

// maxSettings bounds config.json, in bytes.
const maxSettings = 1 << 20

func (s *settings) load() error {
	if s.loaded || s.path == "" {
		return nil
	}
	if s.homeless != nil {
		return s.homeless
	}
	data, err := files.Read(s.path, maxSettings, files.Steering)
	var access *files.AccessError
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // HOME=/dev/null, as services have it
		s.loaded = true
		return nil
	}
	if errors.As(err, &access) {
		return settingError(access.Path, access.What+", so nothing in it is obeyed", true, access.Remedy)
	}
	if err != nil {
		return settingError(s.path, "could not read: "+errors.Unwrap(err).Error(), true, "")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := json.Unmarshal(data, &s.file); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
			return settingError(fmt.Sprintf("%s:%d", s.path, line), "not valid JSON: "+err.Error(), true, "")
		}
		return settingError(s.path, "must be one JSON object of settings", true, "")
	}
	s.loaded = true
	return nil
}

package cmd

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

// shortcut parses the words that SDKs and scripts run over and over
// (`credential-process PROFILE`, `export [PROFILE]`, `exec [PROFILE] -- CMD`
// and `--version`) without building the whole command tree, which costs about
// as much as answering from the cache. It is the same parse: whatever is not
// plain (flags, a setting with a mistake) gives nil, and the command line
// parser decides and speaks.
func (a *app) shortcut(words []string) runner {
	if len(words) == 1 && (words[0] == "--version" || words[0] == "version") {
		return &a.cli.Version // it needs no settings
	}
	head, tail, given := cutTail(words)
	named := len(head) == 2 && head[1] != "" && head[1][0] != '-'
	if len(head) != 1 && !named {
		return nil
	}
	if a.settings.load() != nil {
		return nil
	}
	a.cli = cli{}
	var command runner
	var profile *string
	switch c := &a.cli; {
	case head[0] == "credential-process" && named && !given:
		command, profile = &c.CredentialProcess, &c.CredentialProcess.Profile
	case head[0] == "export" && !given:
		command, profile = &c.Export, &c.Export.Profile
	case head[0] == "exec" && given:
		c.Exec.setTail(tail)
		command, profile = &c.Exec, &c.Exec.Profile
	default:
		return nil
	}
	known := []string{unlockForSetting, maxKeyAgeSetting, trustSetting, agentSetting}
	for _, flags := range []any{&a.cli.globals, command} {
		names, ok := a.settings.fill(reflect.ValueOf(flags).Elem())
		if !ok {
			clear(a.settings.from)
			return nil
		}
		known = append(known, names...)
	}
	for name := range a.settings.file {
		if !slices.Contains(known, strings.ReplaceAll(name, "_", "-")) {
			clear(a.settings.from)
			return nil // another command's setting, or a misspelt one
		}
	}
	if named {
		*profile = head[1]
	}
	a.command = head[0]
	return command
}

// fill gives the flags of a struct their defaults and their settings, as the
// command line parser does when none stands on the command line. It returns
// the settings' names, and false for anything out of the ordinary.
func (s *settings) fill(flags reflect.Value) ([]string, bool) {
	var names []string
	for i := range flags.NumField() {
		field, tag := flags.Type().Field(i), flags.Type().Field(i).Tag
		if field.Anonymous {
			more, ok := s.fill(flags.Field(i))
			if !ok {
				return nil, false
			}
			names = append(names, more...)
			continue
		}
		preset := tag.Get("default")
		if _, is := tag.Lookup("setting"); !is {
			if preset != "" && !setPlain(flags.Field(i), preset, "") {
				return nil, false
			}
			continue
		}
		name := tag.Get("name")
		if name == "" {
			name = kebab(field.Name)
		}
		names = append(names, name)
		value, place, _, err := s.value(name)
		if err != nil {
			return nil, false
		}
		if place == "" {
			if preset != "" && !setPlain(flags.Field(i), preset, "") {
				return nil, false
			}
			continue
		}
		enum := strings.ReplaceAll(tag.Get("enum"), "${backends}", words["backends"])
		if !setPlain(flags.Field(i), value, enum) {
			return nil, false
		}
		s.from[name] = place
	}
	return names, true
}

// setPlain sets one flag from text, if it is a plain value of its type.
func setPlain(flag reflect.Value, text, enum string) bool {
	if text == "" || enum != "" && !slices.Contains(strings.Split(enum, ","), text) {
		return false
	}
	if u, ok := flag.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text)) == nil
	}
	switch {
	case flag.Kind() == reflect.String:
		flag.SetString(text)
	case flag.Kind() == reflect.Bool && (text == "true" || text == "false" || text == "1" || text == "0"):
		flag.SetBool(text == "true" || text == "1")
	default:
		return false
	}
	return true
}

// kebab is the flag's name for a field's: FileDir is file-dir.
func kebab(field string) string {
	var b strings.Builder
	for i, r := range field {
		if i > 0 && 'A' <= r && r <= 'Z' {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

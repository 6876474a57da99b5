package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Lint is one thing that the files say and hardly mean. Its text says what
// happens and what to write instead.
type Lint struct {
	Check string // its short, stable name
	Fatal bool   // credentials cannot be had so, or not those that are meant
	*Error
}

// Lint looks through the text of both files, section by section, without
// resolving anything: that is Resolve's affair. What it says is sorted by
// file and line.
func (c *Config) Lint() []Lint {
	l := &linter{config: c}
	for _, e := range c.Problems() {
		l.found = append(l.found, Lint{"syntax", true, e})
	}
	seen := map[string]bool{}
	for _, f := range c.files {
		l.sections(f)
		for i := range f.sections {
			s := &f.sections[i]
			id := sectionID(s.kind, s.name)
			if seen[id] {
				continue
			}
			seen[id] = true
			b := c.body(s.kind, s.name)
			for _, e := range b.duplicates {
				l.found = append(l.found, Lint{"duplicate-key", false, e})
			}
			if s.kind != sectionOther {
				l.values(s, b)
			}
			if s.kind == sectionProfile {
				l.profile(s.name, b)
			}
		}
	}
	slices.SortStableFunc(l.found, func(x, y Lint) int {
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	return l.found
}

type linter struct {
	config *Config
	found  []Lint
}

func (l *linter) add(check string, fatal bool, profile string, at entry, format string, args ...any) {
	l.found = append(l.found, Lint{check, fatal, &Error{File: at.file.path, Line: at.line, Profile: profile, Err: fmt.Errorf(format, args...)}})
}

// sections looks at a file's headers.
func (l *linter) sections(f *file) {
	first := make(map[string]int)
	for i := range f.sections {
		s := &f.sections[i]
		at := entry{file: f, line: s.line}
		id := sectionID(s.kind, s.name)
		switch {
		case f.fatal != nil && f.fatal.Line == s.line:
		case s.kind == sectionOther && (strings.HasPrefix(s.name, "profile") || strings.EqualFold(s.name, "default")):
			l.add("ignored-section", true, "", at, "section [%s] is not a profile and is ignored: write [default], or [profile NAME] with a name of more than one word in quotes", s.name)
		case s.kind == sectionOther && slices.ContainsFunc(slices.Concat(chainKeys, callKeys, secretKeys), l.config.body(s.kind, s.name).has):
			l.add("ignored-section", true, "", at, "section [%s] is not a profile and is ignored: write [profile %s]", s.name, s.name)
		case f.credentials && strings.HasPrefix(s.name, "profile "):
			l.add("ignored-section", true, s.name, at, "in the credentials file, the section [%s] is a profile of that whole name: write [%s]", s.name, strings.TrimPrefix(s.name, "profile "))
		case s.kind != sectionOther && first[id] > 0:
			l.add("duplicate-section", false, s.name, at, "the section of %q was already begun in line %d; botocore refuses the file, here they are merged and the later keys win", s.name, first[id])
		case s.kind != sectionOther:
			first[id] = s.line
		}
	}
}

// values looks at each key of a section by itself.
func (l *linter) values(s *section, b *body) {
	name := ""
	if s.kind == sectionProfile {
		name = s.name
	}
	for _, key := range slices.Sorted(maps.Keys(b.values)) {
		at := b.values[key]
		text := at.text
		switch near := misspelt(key); {
		case s.kind != sectionServices && near != "":
			l.add("misspelt-key", true, name, at, "%s is not a key that any program reads: write %s", key, near)
		case text == "":
			if slices.Contains(chainKeys, key) || key == "region" {
				l.add("empty-value", false, name, at, "%s has no value: give it one, or take the line out", key)
			}
		case slices.Contains(plainKeys, key) && len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0]:
			l.add("quoted-value", true, name, at, "the quotes are part of the value of %s: leave them out", key)
		default:
			l.value(name, key, at)
		}
	}
}

// value looks at one value that is there.
func (l *linter) value(name, key string, at entry) {
	bad := func(format string, args ...any) { l.add("bad-value", true, name, at, format, args...) }
	switch text := at.text; key {
	case "sso_start_url":
		if !strings.HasPrefix(text, "https://") {
			bad("%s %q does not begin with https://", key, text)
		}
	case "region", "sso_region":
		if !regionShaped(text) && !(key == "region" && l.redirected(name)) {
			bad("%s %q does not look like a region, such as eu-west-1", key, text)
		}
	case "sso_account_id":
		if !isAccount(text) {
			bad("sso_account_id %q is not the 12 digits of an account", text)
		}
	case "mfa_serial":
		if part := strings.SplitN(text, ":", 6); part[0] == "arn" && (len(part) < 6 || !isAccount(part[4]) || !strings.HasPrefix(part[5], "mfa/") && !strings.HasPrefix(part[5], "u2f/")) {
			bad("mfa_serial %q is not the ARN of an MFA device, arn:aws:iam::ACCOUNT:mfa/NAME", text)
		}
	case "sts_regional_endpoints":
		if text != "legacy" && text != "regional" {
			bad("%s %q is neither legacy nor regional", key, text)
		}
	case "use_fips_endpoint", "use_dualstack_endpoint", "ignore_configured_endpoint_urls":
		if !strings.EqualFold(text, "true") && !strings.EqualFold(text, "false") {
			bad("%s %q is neither true nor false", key, text)
		}
	case "parent_profile":
		l.add("old-word", false, name, at, "parent_profile is aws-vault's old word: write include_profile = %s", text)
	case "credential_process":
		l.process(name, at)
	}
}

// process looks at a line that SDKs run, each in its own way.
func (l *linter) process(name string, at entry) {
	words, err := SplitCommand(at.text)
	switch {
	case err != nil:
		l.add("process-line", true, name, at, "credential_process cannot be split into words: %w", err)
	case slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "~/") || strings.ContainsAny(w, "$`") }):
		l.add("process-line", false, name, at, "credential_process has ~, $ or `, which the AWS CLI and boto3 do not expand: write the whole path")
	case strings.HasPrefix(at.text, `"`), strings.HasPrefix(at.text, "'"):
		l.add("quoted-path", false, name, at, "credential_process begins with a quote, and old Go SDKs take such a path for the whole command: a path without blanks needs no quotes")
	}
}

// profile looks at what a profile's own keys say together.
func (l *linter) profile(name string, b *body) {
	if _, exported := b.values[ExportedKey]; !exported && b.has("aws_secret_access_key") && !b.has("aws_session_token") && !b.has("aws_security_token") {
		l.add("plaintext-key", false, name, b.values["aws_secret_access_key"], "the secret access key of profile %q is in plaintext", name)
	}
	if at := b.values["credential_process"]; at.text != "" {
		for _, key := range slices.Concat([]string{"role_arn", "login_session"}, rivalKeys) {
			if b.has(key) {
				l.add("process-beside-other", false, name, at, "profile %q has credential_process and %s: some SDKs refuse the two together, others ignore the process", name, key)
				break
			}
		}
	}
	if b.has("role_arn") {
		return
	}
	for _, key := range []string{"external_id", "role_session_name"} {
		if b.has(key) && !b.has("include_profile") && !l.included(name) {
			l.add("no-role", false, name, b.values[key], "profile %q has %s and no role_arn, so that no role is assumed", name, key)
		}
	}
}

// included reports whether another profile takes over this one's keys.
func (l *linter) included(name string) bool {
	return slices.ContainsFunc(l.config.Names(), func(other string) bool { return l.config.Value(other, "include_profile") == name })
}

// redirected reports whether a profile's calls go to another place than AWS,
// where a region may have any name.
func (l *linter) redirected(name string) bool {
	return l.config.Value(name, "endpoint_url") != "" || l.config.Value(name, "services") != ""
}

// Place is where a profile's key has its value; "" and 0 where it has none.
func (c *Config) Place(profile, key string) (file string, line int) {
	if at := c.profile(profile).values[key]; at.file != nil {
		return at.file.path, at.line
	}
	return "", 0
}

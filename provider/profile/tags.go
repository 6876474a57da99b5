package profile

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of session tags:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tag sets the session tags and the source identity of the role at i. For
// the role asked for, aws-vault's variables win over the files, as there.
func (w *walker) tag(role *Role, i int) (err error) {
	v := w.views[i]
	asked := !slices.ContainsFunc(w.views[:i], func(v *view) bool { return v.isRole })
	setting := func(key, variable string) (place, text string) {
		if text := w.env(variable); asked && text != "" {
			return variable, text
		}
		return key, v.get(key)
	}
	place, text := setting("session_tags", "AWS_SESSION_TAGS")
	if role.Tags, err = sessionTags(v, place, text); err != nil {
		return err
	}
	place, text = setting("transitive_session_tags", "AWS_TRANSITIVE_TAGS")
	if role.TransitiveTags, err = transitiveTags(v, place, text, role.Tags); err != nil {
		return err
	}
	place, role.SourceIdentity = setting("source_identity", "AWS_SOURCE_IDENTITY")
	if role.SourceIdentity != "" && !isSourceIdentity(role.SourceIdentity) {
		return v.errorf(place, ErrMalformed, "%s %q must be 2 to 64 letters, digits or _+=,.@-", place, role.SourceIdentity)
	}
	return nil
}

// sessionTags reads aws-vault's “key1=value1,key2=value2”.
func sessionTags(v *view, place, text string) ([]Tag, error) {
	var tags []Tag
	for _, pair := range splitList(text) {
		key, value, ok := strings.Cut(pair, "=")
		key, value = trimBlank(key), trimBlank(value)
		switch {
		case !ok || key == "":
			return nil, v.errorf(place, ErrMalformed, "%s has %q, which is not key=value", place, pair)
		case utf8.RuneCountInString(key) > maxTagKey || utf8.RuneCountInString(value) > maxTagValue:
			return nil, v.errorf(place, ErrMalformed, "session tag %q is longer than AWS accepts (key 128, value 256 characters)", key)
		case slices.ContainsFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Key, key) }):
			return nil, v.errorf(place, ErrMalformed, "session tag %q is given twice", key)
		}
		tags = append(tags, Tag{key, value})
	}
	if len(tags) > maxTags {
		return nil, v.errorf(place, ErrMalformed, "%d session tags, but AWS accepts at most 50", len(tags))
	}
	return tags, nil
}

// transitiveTags reads “key1,key2”; each must be one of the tags.
func transitiveTags(v *view, place, text string, tags []Tag) ([]string, error) {
	keys := splitList(text)
	for _, key := range keys {
		if !slices.ContainsFunc(tags, func(t Tag) bool { return t.Key == key }) {
			return nil, v.errorf(place, ErrMalformed, "transitive tag %q is not in session_tags", key)
		}
	}
	return keys, nil
}

// splitList parts a comma-separated list, empty items left out.
func splitList(s string) []string {
	var items []string
	for item := range strings.SplitSeq(s, ",") {
		if item = trimBlank(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

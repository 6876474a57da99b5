package cmd

import (
	"bytes"
	"context"
	"strings"

	"groat/cmd/terminal"
	"groat/vault/accesskey"
)

// askKey asks a person for an access key, each half until it can be one. Not
// even the ID is shown while it is typed: keys are pasted, and with both lines
// at once, or with the secret in the ID's place, the secret would be on the
// screen. The second question names the ID that was taken.
func (p *prompts) askKey(ctx context.Context, profile string) (accesskey.Key, error) {
	q := terminal.Question{
		Title:   "Access key to store",
		Details: []terminal.Detail{{Name: "profile", Value: profile}},
		Prompt:  "access key ID (not shown; ID and secret may be pasted at once)",
		Check:   func(b []byte) string { _, err := typedID(b); return textOf(err) },
	}
	typed, err := p.ui().Secret(ctx, q)
	if err != nil {
		return accesskey.Key{}, err
	}
	defer clear(typed)
	key, _ := typedID(typed)
	if key.Secret != "" {
		return key, nil
	}
	q.Prompt, q.Again, q.Pasted = "secret access key of "+key.ID+" (not shown)", true, true
	q.Check = func(b []byte) string { return textOf(accesskey.CheckSecret(strings.TrimSpace(string(b)))) }
	secret, err := p.ui().Secret(ctx, q)
	if err != nil {
		return accesskey.Key{}, err
	}
	defer clear(secret)
	key.Secret = strings.TrimSpace(string(secret))
	return key, nil
}

// typedID is the answer to the question for the ID: the ID alone, or, from a
// window or a line with blanks, ID and secret in any form that --stdin takes.
func typedID(answer []byte) (accesskey.Key, error) {
	if fields := bytes.Fields(answer); len(fields) > 1 {
		return accesskey.Read(bytes.NewReader(answer))
	}
	id := strings.TrimSpace(string(answer))
	return accesskey.Key{ID: id}, accesskey.CheckID(id)
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

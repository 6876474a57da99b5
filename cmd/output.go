package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/session"
)

// This file is the only writer of credentials to stdout.

// processOutput is the JSON of a credential process; members that do not
// exist are left out, never empty (an empty Expiration breaks Terraform).
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processOutput struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string `json:",omitempty"`
	Expiration      string `json:",omitempty"` // RFC 3339, always Z: some SDKs read no other zone
	AccountID       string `json:"AccountId,omitempty"`
}

func newProcessOutput(c session.Credentials) processOutput {
	return processOutput{
		Version:         1,
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		SessionToken:    c.SessionToken,
		Expiration:      child.FormatExpiration(c.Expiration),
		AccountID:       c.AccountID,
	}
}

// writeJSON writes v and a line feed in one write, so that a reader sees all
// of it or an error is seen here. Characters that a terminal would obey or
// hide (bidi marks, C1 controls) are written as \u escapes: the same JSON.
func writeJSON(w io.Writer, v any, indent bool) error {
	marshal := json.Marshal
	if indent {
		marshal = func(v any) ([]byte, error) { return json.MarshalIndent(v, "", "  ") }
	}
	data, err := marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(escapeInvisible(data), '\n'))
	return outputError(err)
}

// escapeInvisible escapes what encoding/json leaves of control and format
// characters; all of JSON's own syntax is printable ASCII.
func escapeInvisible(data []byte) []byte {
	if !bytes.ContainsFunc(data, invisible) {
		return data
	}
	var b bytes.Buffer
	for _, r := range string(data) {
		if !invisible(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}

func invisible(r rune) bool {
	return r > '~' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)
}

// printLines prints names and the like.
func printLines(a *app, lines []string) error {
	text := ""
	if len(lines) > 0 {
		text = strings.Join(lines, "\n") + "\n"
	}
	return printText(a, text)
}

// printText prints what may hold text of a config file or of AWS: exactly
// for a program, and without control characters for a person.
func printText(a *app, text string) error {
	if isTerminal(a.streams.Out) {
		var b strings.Builder
		for line := range strings.Lines(text) {
			b.WriteString(onScreen(strings.TrimSuffix(line, "\n")) + "\n")
		}
		text = b.String()
	}
	_, err := io.WriteString(a.streams.Out, text)
	return outputError(err)
}

// onScreen makes one line fit for a terminal and keeps its indentation and
// its columns.
func onScreen(line string) string {
	columns := strings.Split(line, "\t")
	for i, text := range columns {
		begin := len(text) - len(strings.TrimLeft(text, " +-"))
		columns[i] = text[:begin] + terminal.Sanitize(text[begin:])
	}
	return strings.Join(columns, "\t")
}

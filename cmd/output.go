package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf16"

	"groat/cmd/child"
	"groat/cmd/terminal"
	"groat/session"
)

// output is what a command says and answers. This file is the only writer of
// credentials to stdout.
type output struct {
	streams Streams
	debug   *bool // --debug, which is known once the command line was read
}

// say prints one line on stderr.
func (o *output) say(msg string) {
	msg = terminal.Sanitize(strings.ReplaceAll(strings.TrimRight(msg, "\n"), "\n", "; "))
	fmt.Fprintf(o.streams.Err, "groat: %s\n", msg)
}

// warn prints one warning on stderr.
func (o *output) warn(msg string) { o.say("warning: " + msg) }

// debugf prints one line on stderr under --debug. Callers pass no secrets.
func (o *output) debugf(format string, args ...any) {
	if *o.debug {
		o.say("debug: " + fmt.Sprintf(format, args...))
	}
}

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
func (o *output) printLines(lines []string) error {
	text := ""
	if len(lines) > 0 {
		text = strings.Join(lines, "\n") + "\n"
	}
	return o.printText(text)
}

// printText prints what may hold text of a config file or of AWS: exactly
// for a program, and without control characters for a person.
func (o *output) printText(text string) error {
	if isTerminal(o.streams.Out) {
		text = onScreen(text)
	}
	_, err := io.WriteString(o.streams.Out, text)
	return outputError(err)
}

// onScreen makes text fit for a terminal and keeps its lines, their
// indentation and their columns.
func onScreen(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		columns := strings.Split(line, "\t")
		for j, text := range columns {
			begin := len(text) - len(strings.TrimLeft(text, " +-"))
			columns[j] = text[:begin] + terminal.Sanitize(text[begin:])
		}
		lines[i] = strings.Join(columns, "\t")
	}
	return strings.Join(lines, "\n")
}

// isTerminal reports whether what is written there reaches a terminal.
func isTerminal(w io.Writer) (is bool) {
	descriptor(w, func(fd uintptr) { is = terminal.IsTerminal(fd) })
	return is
}

// lineLength is how many characters a line of the terminal has that w writes
// to; 0: it is none, or does not say.
func lineLength(w io.Writer) (n int) {
	descriptor(w, func(fd uintptr) { n = terminal.LineLength(fd) })
	return n
}

// descriptor calls do with the file descriptor behind w, if there is one.
func descriptor(w io.Writer, do func(fd uintptr)) {
	if locked, ok := w.(*lockedWriter); ok {
		w = locked.to
	}
	if f, ok := w.(syscall.Conn); ok {
		if raw, err := f.SyscallConn(); err == nil { // not Fd: it may change the mode of a file that others share
			_ = raw.Control(do)
		}
	}
}

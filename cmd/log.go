package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"groat/vault/files"
)

// logCmd shows what was handed out here, and switches the record of it on
// and off.
type logCmd struct {
	On      bool   `xor:"do" help:"Switch the log on."`
	Off     bool   `xor:"do" help:"Switch the log off; what was written stays."`
	JSON    bool   `name:"json" help:"Print JSON, one object a line."`
	Profile string `placeholder:"PROFILE" help:"Only what was asked for this profile."`
	Since   days   `placeholder:"D" help:"Only the last 12h, 7d, …"`
}

// Run reads or switches; it opens no vault.
func (c *logCmd) Run(_ context.Context, a *app) error {
	l := a.paths.requestLog()
	switch {
	case (c.On || c.Off) && (c.JSON || c.Profile != "" || c.Since != 0):
		return usageError("--on and --off cannot be combined with other flags of this command", "run: groat log --help")
	case c.On:
		if err := l.turn(true); err != nil {
			return fmt.Errorf("could not switch the log on: %w", err)
		}
		a.say("the log is on: what is handed out is noted in " + l.path())
		return nil
	case c.Off:
		return c.off(a, l)
	}
	entries, damaged, err := l.read()
	if err != nil {
		return fmt.Errorf("could not read the log: %w", err)
	}
	if damaged > 0 {
		a.warn(fmt.Sprintf("%d %s of the log cannot be read", damaged, plural(damaged, "line")))
	}
	entries = slices.DeleteFunc(entries, func(e logEntry) bool { return !c.wants(e, a.now()) })
	if c.JSON {
		return writeLines(a, entries)
	}
	if !l.on() {
		a.say("the log is off; to switch it on: groat log --on")
	}
	if len(entries) == 0 {
		return nil
	}
	return a.printTable(logTable(entries))
}

// off says where the lines are that are left, and how to be rid of them.
func (c *logCmd) off(a *app, l requestLog) error {
	if err := l.turn(false); err != nil {
		return fmt.Errorf("could not switch the log off: %w", err)
	}
	kept := l.kept()
	if len(kept) == 0 {
		a.say("the log is off, and nothing was written")
		return nil
	}
	remove := "rm"
	if runtime.GOOS == "windows" {
		remove = "del"
	}
	var words []string
	for _, path := range kept {
		words = append(words, files.Word(path))
	}
	a.say(fmt.Sprintf("the log is off; what was written is kept for groat log; to delete it: %s %s", remove, strings.Join(words, " ")))
	return nil
}

// wants applies the filters.
func (c *logCmd) wants(e logEntry, now time.Time) bool {
	if c.Profile != "" && e.Profile != c.Profile {
		return false
	}
	at, err := time.Parse(time.RFC3339, e.Time)
	return c.Since == 0 || err == nil && now.Sub(at) <= time.Duration(c.Since)
}

func writeLines(a *app, entries []logEntry) error {
	var b bytes.Buffer
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		b.Write(append(escapeInvisible(line), '\n'))
	}
	_, err := a.streams.Out.Write(b.Bytes())
	return outputError(err)
}

// logTable is for people, in their own time zone.
func logTable(entries []logEntry) [][]string {
	rows := [][]string{{"TIME", "PROFILE", "RESULT", "COMMAND", "ROLE", "KEY ID", "AGENT", "CALLER"}}
	for _, e := range entries {
		at := e.Time
		if t, err := time.Parse(time.RFC3339, at); err == nil {
			at = t.Local().Format("2006-01-02 15:04:05")
		}
		rows = append(rows, []string{at, e.Profile, e.Result, e.Command, roleWords(e.RoleARN), orDash(e.AccessKeyID), orDash(e.Agent), orDash(e.Caller)})
	}
	return rows
}
